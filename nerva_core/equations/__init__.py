"""The equations of one line: activations, losses, optimizers, schedules, initializers, hard and step functions; each table in one file."""
