"""The states language against moto's interpreter: the same documents over the same state of AWS."""
