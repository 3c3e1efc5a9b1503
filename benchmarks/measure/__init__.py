"""What is measured: rates of work, live behaviour, several runs at once, memory."""
