package atomicfile

// WriteJournal writes a journal and does nothing else, as if the process had died after that.
func WriteJournal(path string, changes []Change) error { return writeJournal(path, changes) }
