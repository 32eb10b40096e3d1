"""Brokers that speak AMQP 0-9-1, such as RabbitMQ and LavinMQ."""
