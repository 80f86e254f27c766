package rehearsal

import (
	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publishing"
)

// Flags are those of `rehearse`, but for images, which Config has.
type Flags struct {
	Request bump.Request // what is released; without To it is a patch, or what is unfinished
	Publish string       // who publishes, in place of the manifest's word; "" is that
	Faults  int          // their seed; 0: nothing fails
	Keep    bool         // stay when it is through, with the world running
}

// Fit refuses what no rehearsal can be made of.
func (f Flags) Fit() error {
	if f.Faults < 0 {
		return operr.NewUsage("say a number, such as -faults=1", "-faults=%d is no seed", f.Faults)
	}
	if f.Request.To != "" { // else it is a patch
		if err := f.Request.CheckTo(); err != nil {
			return err
		}
	}
	return publishing.CheckPublisher(f.Publish)
}
