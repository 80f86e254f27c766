package publishing

import (
	"fmt"
	"os"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
)

// CI describes the CI run that this process is part of. The zero value means that this is not CI.
type CI struct {
	Run    string // ID of the run, which is the same in all its jobs
	Tag    string // tag that triggered the run; "" if it was not a tag
	Output string // file for the job's outputs; "" if there is none
}

// HandOn sets the digests as an output of the job, for later jobs. It is a no-op outside of CI.
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

// SetOutput sets an output of the job to a single line. It is a no-op outside of CI.
func (c CI) SetOutput(name, value string) error {
	if c.Output == "" {
		return nil
	}
	f, err := os.OpenFile(c.Output, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return operr.New("check GITHUB_OUTPUT: the runner sets this variable to the path of a file", "writing the output of the job: %w", err)
	}
	_, err = fmt.Fprintf(f, "%s=%s\n", name, value)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}
