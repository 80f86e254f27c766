package standin

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/actions/runner"
	"github.com/foopack/foopack/magefiles/internal/actions/runner/artifact"
	"github.com/foopack/foopack/magefiles/internal/actions/runner/glob"
)

// number matches what an action parses as a number: a digit, followed by anything.
var number = regexp.MustCompile(`^\s*[-+]?\d`)

// uploadArtifact replaces actions/upload-artifact.
func uploadArtifact(ctx context.Context, c *runner.Call) error {
	name, none := c.Input("name", "artifact"), c.Input("if-no-files-found", "warn")
	if strings.ContainsAny(name, "\":<>|*?\r\n\\/") {
		return fmt.Errorf("the name of an artifact must not contain any of \" : < > | * ? \\ / : %s", name)
	}
	if name == "." || name == ".." { // a download puts each artifact into a folder of its name
		return c.Problem("name", "an artifact cannot be named %s, because a download of all artifacts makes a folder for each name", name)
	}
	if !slices.Contains([]string{"warn", "error", "ignore"}, none) {
		return fmt.Errorf("if-no-files-found must be warn, error or ignore, but is %q", none)
	}
	if c.Input("path", "") == "" {
		return fmt.Errorf("upload-artifact needs a path")
	}
	if days := c.Input("retention-days", "0"); !number.MatchString(days) {
		return c.Problem("retention-days", "retention-days must be a number, but is %q", days)
	}
	g, err := glob.Read(c.Workspace, c.Home, strings.Split(c.With["path"], "\n"))
	if err != nil {
		return err
	}
	files, err := g.Files(c.Bool("include-hidden-files", false))
	if err != nil {
		return err
	}
	if len(files) == 0 {
		what := "no files were found with the path: " + strings.Join(strings.Fields(c.With["path"]), " ")
		switch none {
		case "error":
			return c.Problem("path", "%s", what)
		case "warn":
			c.Warn("%s. No artifact is uploaded", what)
		default:
			c.Say("%s", what)
		}
		return nil
	}
	if err := doubtPatterns(c, files); err != nil {
		return err
	}
	id, digest, err := c.Artifacts.Add(ctx, name, rootOf(g.Roots(), files), files, c.Bool("overwrite", false))
	if err != nil {
		return err
	}
	c.Say("artifact %s: %d files", name, len(files))
	c.Output("artifact-id", strconv.Itoa(id))
	c.Output("artifact-digest", digest)
	c.Output("artifact-url", "https://github.com/"+c.Repository+"/actions/artifacts/"+strconv.Itoa(id))
	return nil
}

// doubtPatterns reports patterns that match no file, if there are several, because the action ignores them silently.
func doubtPatterns(c *runner.Call, files []string) error {
	lines := strings.Split(strings.TrimSpace(c.With["path"]), "\n")
	for i, line := range lines {
		if line = strings.TrimSpace(line); len(lines) == 1 || line == "" || strings.ContainsAny(line[:1], "!#") {
			continue
		}
		g, err := glob.Read(c.Workspace, c.Home, []string{line})
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(files, g.Takes) {
			c.Doubt(c.ProblemIn("path", i, "no file of the artifact matches %s", line))
		}
	}
	return nil
}

// rootOf returns the folder to which an artifact's paths are relative: the common prefix of all patterns, or the folder of a single file.
func rootOf(roots, files []string) string {
	if len(roots) == 1 {
		if len(files) == 1 && files[0] == roots[0] {
			return filepath.Dir(files[0])
		}
		return roots[0]
	}
	common := roots[0]
	for _, r := range roots[1:] {
		for !glob.Within(common, r) {
			common = filepath.Dir(common)
		}
	}
	if slices.Contains(files, common) {
		common = filepath.Dir(common)
	}
	return common
}

// downloadArtifact replaces actions/download-artifact. A named artifact is extracted to the path itself, and several artifacts to subfolders named
// after them, unless they are merged.
func downloadArtifact(ctx context.Context, c *runner.Call) error {
	if r := c.Input("repository", c.Repository); r != c.Repository || c.With["run-id"] != "" {
		return fmt.Errorf("artifacts of other runs and repositories are not available here")
	}
	if c.With["artifact-ids"] != "" {
		return fmt.Errorf("artifact-ids are not supported here: use the artifact's name instead")
	}
	folders := c.Artifacts.Folders()
	to := c.Path(c.Input("path", "."))
	name, pattern := c.Input("name", ""), c.Input("pattern", "*")
	var taken []string
	for _, n := range slices.Sorted(maps.Keys(folders)) {
		fits, err := path.Match(pattern, n)
		if err != nil {
			return fmt.Errorf("invalid pattern %s: %w", pattern, err)
		}
		if n == name || name == "" && fits {
			taken = append(taken, n)
		}
	}
	if name != "" && len(taken) == 0 {
		return c.Problem("name", "unable to download artifact(s): artifact not found for name: %s (there are: %s)", name, strings.Join(slices.Sorted(maps.Keys(folders)), ", "))
	}
	for _, n := range taken {
		dir := to
		if name == "" && !c.Bool("merge-multiple", false) {
			dir = filepath.Join(to, n)
		}
		if err := copyAll(ctx, dir, folders[n]); err != nil {
			return err
		}
	}
	if len(taken) == 0 {
		c.Doubt(c.Problem("pattern", "no artifact matches %s (existing artifacts: %s)", pattern, strings.Join(slices.Sorted(maps.Keys(folders)), ", ")))
	}
	c.Say("downloaded: %s", strings.Join(taken, ", "))
	c.Output("download-path", to)
	return nil
}

func copyAll(ctx context.Context, to, from string) error {
	g, err := glob.Read(from, "", []string{"."})
	if err != nil {
		return err
	}
	files, err := g.Files(true)
	if err != nil {
		return err
	}
	for _, f := range files {
		rel, err := filepath.Rel(from, f)
		if err != nil {
			return err
		}
		if err := artifact.CopyFile(filepath.Join(to, rel), f, glob.Until{Context: ctx}); err != nil {
			return err
		}
	}
	return os.MkdirAll(to, 0o755)
}
