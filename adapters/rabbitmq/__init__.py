"""RabbitMQ: queues through the management API, moved by the broker's own shovels."""
