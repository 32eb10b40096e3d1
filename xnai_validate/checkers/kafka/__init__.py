"""Brokers that speak the protocol of Apache Kafka."""
