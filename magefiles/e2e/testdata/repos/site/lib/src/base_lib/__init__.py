"""The base."""

WHERE = "the published one"
