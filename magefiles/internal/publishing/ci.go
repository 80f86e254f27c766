package publishing

import (
	"fmt"
	"os"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
)

// CI is what a CI says of the run that we are a part of. The zero value is outside of one.
type CI struct {
	Run    string // names the run, of which several jobs are parts
	Tag    string // that started it; "" where it was something else
	Output string // the file for the outputs of a job; "" where nobody reads one
}

// HandOn makes digests the output of a job, for jobs that come later. Elsewhere there is nobody who reads it.
func (c CI) HandOn(d publish.Digests) error {
	if c.Output == "" {
		return nil
	}
	line, err := d.Line()
	if err != nil {
		return err
	}
	return c.SetOutput("digests", line)
}

// SetOutput gives the job an output, of one line. Elsewhere there is nobody who reads it.
func (c CI) SetOutput(name, value string) error {
	if c.Output == "" {
		return nil
	}
	f, err := os.OpenFile(c.Output, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return operr.New("see where GITHUB_OUTPUT is set: the runner names a file", "writing the output of the job: %w", err)
	}
	_, err = fmt.Fprintf(f, "%s=%s\n", name, value)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}
