"""Official and common survey instruments, as data."""
