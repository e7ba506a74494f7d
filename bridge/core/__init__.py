"""What appointments mean: pure, without I/O and without a clock."""
