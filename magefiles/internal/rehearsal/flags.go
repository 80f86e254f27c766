package rehearsal

import (
	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publishing"
)

// Flags holds the flags of `rehearse`, except -full. Config.Builder is set for -full.
type Flags struct {
	Request bump.Request // what to release; without To, a patch or the unfinished release
	Publish string       // who publishes; "" uses the manifest's setting
	Faults  int          // seed for the faults; 0 disables them
	Keep    bool         // keep the world running at the end
}

// Fit returns an error for invalid flag values.
func (f Flags) Fit() error {
	if f.Faults < 0 {
		return operr.NewUsage("use a number above 0, such as -faults=1", "-faults=%d is not a seed", f.Faults)
	}
	if f.Request.To != "" { // without -to, a patch is released
		if err := f.Request.CheckTo(); err != nil {
			return err
		}
	}
	return publishing.CheckPublisher(f.Publish)
}
