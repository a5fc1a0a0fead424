"""The lab: two IPsec gateways with real daemons in network namespaces, faults between them, the agent on the customer's side."""
