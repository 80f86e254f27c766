package atomicfile

// WriteJournal is writeJournal: what a process has done that dies right after it.
func WriteJournal(path string, changes []Change) error { return writeJournal(path, changes) }
