package targets

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// compareBuilds holds what was built against what another build made, which lies in a folder with its digests.
func (a *app) compareBuilds(w *workspace.Workspace, ours publish.Digests, dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, publish.DigestsJSON))
	if err != nil {
		return operr.New("name the folder that another `mage build:all` wrote: -compare=DIR", "%w", err)
	}
	others, err := publish.ParseDigests(string(text))
	if err != nil {
		return err
	}
	c, err := publish.Compare(ours, filepath.Join(w.Root, outputDir), others, dir)
	if err != nil {
		return err
	}
	a.view.Say("%s with the same bytes in both builds", operr.Count(len(c.Same), "artifact"))
	if c.NotCompared != nil {
		a.view.Say("not compared, since other tools built them: %s", strings.Join(c.NotCompared, "; "))
	}
	for _, line := range c.Shown {
		a.view.Say("differs, as these tools never give the same bytes: %s", line)
	}
	return nil
}
