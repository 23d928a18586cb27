"""HTTP in, HTML out: parse, one service call in one transaction, render."""
