//! Speaks rtnetlink with the Linux kernel: typed messages in and out of bytes, and a blocking socket.
