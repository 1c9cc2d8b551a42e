"""The test range: moto, plus the CloudTrail records, the journal and the faults that moto lacks."""

__version__ = "0.1.0"
