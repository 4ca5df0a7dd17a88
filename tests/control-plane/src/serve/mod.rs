//! The edge to the network: TLS, the listener and the log of requests.
