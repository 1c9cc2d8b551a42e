"""The AWS client against botocore: the same parameters and the same answers through both, and every difference told.

botocore is the client that AWS maintains for every service, so what it writes and reads is what AWS accepts and
means. `python -m differential --help` runs as many cases as one likes; `tests/test_differential.py` runs a sample.
"""
