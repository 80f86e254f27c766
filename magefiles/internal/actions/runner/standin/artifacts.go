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

// number is what an action takes for one: whatever follows it.
var number = regexp.MustCompile(`^\s*[-+]?\d`)

// uploadArtifact is actions/upload-artifact.
func uploadArtifact(ctx context.Context, c *runner.Call) error {
	name, none := c.Input("name", "artifact"), c.Input("if-no-files-found", "warn")
	if strings.ContainsAny(name, "\":<>|*?\r\n\\/") {
		return fmt.Errorf("the name of an artifact may not have any of \" : < > | * ? \\ / in it: %s", name)
	}
	if name == "." || name == ".." { // a download puts each artifact into a folder of its name
		return c.Problem("name", "an artifact cannot be named %s: what takes all of them writes a folder for each", name)
	}
	if !slices.Contains([]string{"warn", "error", "ignore"}, none) {
		return fmt.Errorf("if-no-files-found is warn, error or ignore, and not %q", none)
	}
	if c.Input("path", "") == "" {
		return fmt.Errorf("upload-artifact needs a path")
	}
	if days := c.Input("retention-days", "0"); !number.MatchString(days) {
		return c.Problem("retention-days", "retention-days is a number, and not %q", days)
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

// doubtPatterns names those that no file is taken by, of several: the action says nothing of them.
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
			c.Doubt(c.ProblemIn("path", i, "no file of the artifact is found by %s", line))
		}
	}
	return nil
}

// rootOf is the folder that the files of an artifact are relative to: what all patterns begin with, and of one file its folder.
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

// downloadArtifact is actions/download-artifact: one by its name goes to the path itself, of several each to a folder of its name there, unless they
// are merged.
func downloadArtifact(ctx context.Context, c *runner.Call) error {
	if r := c.Input("repository", c.Repository); r != c.Repository || c.With["run-id"] != "" {
		return fmt.Errorf("artifacts of other runs and repositories are not here")
	}
	if c.With["artifact-ids"] != "" {
		return fmt.Errorf("artifact-ids are not known here: name the artifact")
	}
	folders := c.Artifacts.Folders()
	to := c.Path(c.Input("path", "."))
	name, pattern := c.Input("name", ""), c.Input("pattern", "*")
	var taken []string
	for _, n := range slices.Sorted(maps.Keys(folders)) {
		fits, err := path.Match(pattern, n)
		if err != nil {
			return fmt.Errorf("the pattern %s: %w", pattern, err)
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
		c.Doubt(c.Problem("pattern", "there is no artifact %s (there are: %s)", pattern, strings.Join(slices.Sorted(maps.Keys(folders)), ", ")))
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
