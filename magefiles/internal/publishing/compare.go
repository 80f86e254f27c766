package publishing

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
)

// otherBuild is what another build of the commit made.
type otherBuild struct {
	dir     string
	digests publish.Digests
}

// readOther reads what another build has left in a folder; nil where none is named. A build is not compared with itself. The digests
// are those that were handed over, as it is these that are uploaded: whoever changes an artifact in the folder may change the file there.
func readOther(dir, handed, output string) (*otherBuild, error) {
	const next = "name the folder that another `mage build:all` wrote: -compare=DIR"
	if dir == "" && handed != "" {
		return nil, operr.NewUsage(next, "-digests says what another build made, and not where it is")
	}
	if dir == "" {
		return nil, nil
	}
	if handed == "" {
		text, err := os.ReadFile(filepath.Join(dir, publish.DigestsJSON))
		if err != nil {
			return nil, operr.New(next, "there is nothing to compare with: %w", err)
		}
		handed = string(text)
	}
	there, err := os.Stat(dir)
	if err != nil {
		return nil, operr.New(next, "there is nothing to compare with: %w", err)
	}
	if here, err := os.Stat(output); err == nil && os.SameFile(here, there) {
		return nil, operr.NewUsage(next, "-compare=%s is the folder that this build writes to", dir)
	}
	digests, err := publish.ParseDigests(handed)
	return &otherBuild{dir: dir, digests: digests}, err
}

// compare holds what was built against what another build made.
func (c Config) compare(ours publish.Digests, output string, other *otherBuild) error {
	found, err := publish.Compare(ours, output, other.digests, other.dir)
	if err != nil {
		return err
	}
	c.View.Say("%s with the same bytes in both builds", operr.Count(len(found.Same), "artifact"))
	if found.NotCompared != nil {
		c.View.Say("not compared, since other tools built them: %s", strings.Join(found.NotCompared, "; "))
	}
	for _, line := range found.Shown {
		c.View.Say("differs, as these tools never give the same bytes: %s", line)
	}
	return nil
}
