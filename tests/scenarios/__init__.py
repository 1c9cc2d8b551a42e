"""Each playbook from the attack to its undo, against the test range: what was detected, contained, verified, taken back, and how fast."""
