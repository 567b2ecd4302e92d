"""Who may do what: keys, scopes, tickets, hosts, rates, and the gate that applies them."""
