"""What the whole-product tests are driven with: the built binary, the test range, signed requests, and waiting."""
