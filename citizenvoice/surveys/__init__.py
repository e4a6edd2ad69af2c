"""Survey instruments, their frozen versions and the responses to them."""
