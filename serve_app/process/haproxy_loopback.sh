#!/bin/sh
# Starts HAProxy for Ray Serve with its statistics and metrics pages on loopback: Serve's template
# binds both to every interface. Arguments are HAProxy's own; `-f FILE` names the configuration
# that Serve has just written.
previous=""
for argument in "$@"; do
    if [ "$previous" = "-f" ]; then
        sed -i -e 's/^\( *bind \)\*\{0,1\}:/\1127.0.0.1:/' "$argument"
    fi
    previous="$argument"
done
exec "$HALFTIME_HAPROXY" "$@"
