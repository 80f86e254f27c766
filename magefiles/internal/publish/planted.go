package publish

import (
	"context"
	"path"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// RecordingFile is the file of a publication's result in the folder of artifacts. A CI keeps it with its run, so that a release that waits
// for it can compare digests.
const RecordingFile = "publish.json"

// recordings are files beside the artifacts that say of them what they are.
var recordings = []string{RecordingFile, DigestsJSON, DigestsText, SentJSON}

// NothingPlanted refuses artifacts, and what publish records, that are committed to the folder of artifacts: whoever may change the
// repository could have them published in place of what is built. Other files there are the person's.
func NothingPlanted(ctx context.Context, repo *gitrepo.Repo) error {
	known, err := repo.Tracked(ctx, workspace.OutputDir)
	if err != nil {
		return err
	}
	for _, file := range known {
		if name := path.Base(file); strings.HasSuffix(name, ".conda") || slices.Contains(recordings, name) {
			return operr.New("`git rm --cached "+operr.Word(file)+"` and commit that", "%s is committed, and would pass for what was built here", file)
		}
	}
	return nil
}
