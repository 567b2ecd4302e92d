"""The route that gives a browser its ticket."""

from fastapi import FastAPI, Request
from pydantic import BaseModel, Field

from serve_app.access.gate import caller_of
from serve_app.access.tickets import TICKET_SECONDS, Tickets


class Ticket(BaseModel):
    """A ticket for one WebSocket handshake."""

    ticket: str = Field(description="Sent as the subprotocol ticket.<this> beside halftime.v1.")
    expires_in_seconds: int = Field(default=TICKET_SECONDS, description="It is good for so long.")


def add_ticket_route(api: FastAPI, tickets: Tickets) -> None:
    """Add `POST /tickets` to an application behind the gate."""

    @api.post("/tickets")
    async def issue_ticket(request: Request) -> Ticket:
        """A ticket for one WebSocket, for browsers, which cannot send a key with it."""
        return Ticket(ticket=await tickets.issue(caller_of(request).key_id or ""))
