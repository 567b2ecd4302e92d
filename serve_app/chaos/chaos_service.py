"""The service of a chaos run: a shipped config, with as many ingress replicas as are asked for."""

from collections.abc import Mapping
from pathlib import Path
from typing import Self

import yaml

from serve_app.chaos.kill_kind import DISPATCHER, INGRESS_REPLICA
from serve_app.process.config_file import INGRESS, load_config
from serve_app.process.service_process import ServiceProcess
from serve_app.settings import Settings

CONFIG_COPY = "config.yaml"


class ChaosService:
    """A service process, its settings, and how many processes of a kind it is to have."""

    def __init__(
        self, process: ServiceProcess, settings: Settings, *, ingress_replicas: int
    ) -> None:
        self.process = process
        self.settings = settings
        self.ingress_replicas = ingress_replicas

    @classmethod
    def of_config(cls, config: Path, port: int, data_dir: Path, *, ingress_replicas: int) -> Self:
        """The service of a config file on `port`, its store in `data_dir`; it is not started.

        It runs from a copy of the file in `data_dir` with that many ingress replicas. Raises
        SettingsError where the file is wrong.
        """
        load_config(config, port=port, data_dir=data_dir)  # says what is wrong, by its own name
        content = yaml.safe_load(config.read_text(encoding="utf-8"))
        for application in content["applications"]:
            for deployment in application.get("deployments") or ():
                if deployment["name"] == INGRESS:
                    deployment["num_replicas"] = ingress_replicas
        copy = data_dir / CONFIG_COPY
        copy.write_text(yaml.safe_dump(content), encoding="utf-8")
        loaded = load_config(copy, port=port, data_dir=data_dir)
        return cls(
            ServiceProcess.of_config(copy, port, data_dir),
            Settings.parse(loaded.applications[0].args),
            ingress_replicas=ingress_replicas,
        )

    @property
    def processes(self) -> Mapping[str, int]:
        """How many processes there are to be of the kinds that may still be coming at a start."""
        return {
            INGRESS_REPLICA: self.ingress_replicas,
            "shard": self.settings.shards,
            DISPATCHER: 1,
        }
