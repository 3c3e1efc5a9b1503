"""UDFs as other people write them: each module ports the idea of a published method."""
