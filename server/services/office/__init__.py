"""What the office reads: pages of rows and whole objects, of one shop at a time.

Every function takes the shop, so that another shop's object is simply not there
(SAFETY.md T1). Pages go by key ranges: the thousandth costs what the first does.
"""
