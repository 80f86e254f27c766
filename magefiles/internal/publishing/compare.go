package publishing

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
)

// otherBuild is another build of the same commit.
type otherBuild struct {
	dir     string
	digests publish.Digests
}

// readOther reads the other build from `dir`. It returns nil if `dir` is "", and an error if `dir` is the folder of this build. The digests in
// `handed` take precedence over those in `dir`, because whoever changes an artifact in `dir` can also change the digests there.
func readOther(dir, handed, output string) (*otherBuild, error) {
	const next = "pass the output folder of the other `mage build:all`: -compare=DIR"
	if dir == "" && handed != "" {
		return nil, operr.NewUsage(next, "-digests was passed without -compare, so the folder of the other build is not known")
	}
	if dir == "" {
		return nil, nil
	}
	if handed == "" {
		text, err := os.ReadFile(filepath.Join(dir, publish.DigestsJSON))
		if err != nil {
			return nil, operr.New(next, "reading the digests of the other build: %w", err)
		}
		handed = string(text)
	}
	there, err := os.Stat(dir)
	if err != nil {
		return nil, operr.New(next, "looking for the folder of the other build: %w", err)
	}
	if here, err := os.Stat(output); err == nil && os.SameFile(here, there) {
		return nil, operr.NewUsage(next, "-compare=%s names the folder of this build, but must name the folder of another build", dir)
	}
	digests, err := publish.ParseDigests(handed)
	return &otherBuild{dir: dir, digests: digests}, err
}

// compare compares our build with the other build, and shows the result.
func (c Config) compare(ours publish.Digests, output string, other *otherBuild) error {
	found, err := publish.Compare(ours, output, other.digests, other.dir)
	if err != nil {
		return err
	}
	c.View.Say("%s identical in both builds", operr.Count(len(found.Same), "artifact"))
	if found.NotCompared != nil {
		c.View.Say("not compared, because the two builds used different tools: %s", strings.Join(found.NotCompared, "; "))
	}
	for _, line := range found.Shown {
		c.View.Say("different, because these tools do not build the same bytes twice: %s", line)
	}
	return nil
}
