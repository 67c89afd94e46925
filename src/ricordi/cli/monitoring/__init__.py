"""What monitors and logs read: the text form of Prometheus, the line of a Nagios plug-in, lines of `key=value`."""
