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

// RecordingFile is the name of the file in the output folder that holds the result of a publication. CI stores it as an artifact of the run, so
// that a release that waits for the run can compare digests.
const RecordingFile = "publish.json"

// recordings are the names of the files in the output folder that describe the artifacts.
var recordings = []string{RecordingFile, DigestsJSON, DigestsText, SentJSON}

// RefusePlanted returns an error if artifacts, or files that describe them, are committed in the output folder: anyone who can change the
// repository could have them published instead of the packages that are built. Other files in the folder are left to the user.
func RefusePlanted(ctx context.Context, repo *gitrepo.Repo) error {
	known, err := repo.Tracked(ctx, workspace.OutputDir)
	if err != nil {
		return err
	}
	for _, file := range known {
		if name := path.Base(file); strings.HasSuffix(name, ".conda") || slices.Contains(recordings, name) {
			return operr.New("run `git rm --cached "+operr.Word(file)+"`, and commit", "%s is committed to git, so it could be published instead of the package that is built here", file)
		}
	}
	return nil
}
