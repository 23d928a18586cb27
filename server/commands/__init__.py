"""What an operator does, one noun a file: parse, one service call, a line of text."""
