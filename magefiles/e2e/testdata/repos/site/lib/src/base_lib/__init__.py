WHERE = "the published one"
