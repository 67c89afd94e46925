"""The objects of archives: read from one, written into one, checked and unpacked."""
