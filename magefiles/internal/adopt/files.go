package adopt

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/beneath"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// changes holds the files that init writes in the clone.
type changes struct {
	top    string            // root of the clone
	folder string            // workspace folder, relative to the root
	mage   string            // the command that runs mage
	why    map[string]string // why each file is written, by its path
	was    map[string][]byte // previous contents of existing files
}

// write writes a file in the clone. Its path is relative to the root.
func (c *changes) write(name, text, why string) error {
	if err := c.refuseLink(name); err != nil {
		return err
	}
	file := filepath.Join(c.top, filepath.FromSlash(name))
	was, err := beneath.Read(file)
	switch {
	case err == nil:
		if _, known := c.was[name]; !known {
			c.was[name] = was
		}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	c.why[name] = why
	if err := makeFolders(c.top, path.Dir(name)); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(text), 0o644)
}

// refuseLink returns an error if a file, or one of its folders, is a symbolic link. A committed link may point to one of the user's files, and the
// clone is written before the user is asked.
func (c *changes) refuseLink(name string) error {
	if err := beneath.NoLink(c.top, name); err != nil {
		return operr.New("replace the link with a real file or folder, and run this again", "%w; nothing was written", err)
	}
	return nil
}

// `at` returns the path of a workspace file relative to the root.
func (c *changes) at(name string) string { return path.Join(filepath.ToSlash(c.folder), name) }

// read returns the content of a workspace file, or "" if it does not exist.
func (c *changes) read(name string) (string, error) {
	if err := c.refuseLink(c.at(name)); err != nil {
		return "", err
	}
	text, err := beneath.Read(filepath.Join(c.top, filepath.FromSlash(c.at(name))))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return string(text), err
}

// settings adds settings to the root manifest where the defaults do not fit, and the task for users who only have pixi. It does not change an
// existing table.
func (c *changes) settings(f *Found, r Request) error {
	m := f.Workspace.Manifest
	var lines []string
	if f.Workspace.Config.Channel == "" {
		if f.Channel == "" {
			f.WontWork = append(f.WontWork, "no manifest names the workspace, so the channel has no name\n    → pass -channel=NAME, or set `channel` in [tool.release]")
		} else {
			lines = append(lines, "channel = "+strconv.Quote(f.Channel)+" # on prefix.dev")
		}
	}
	if f.Apart {
		lines = append(lines, `versioning = "independent" # the packages have versions that differ`)
	}
	if f.Taken != "" {
		lines = append(lines, `publish = "here" # `+path.Base(f.Taken)+" is another tool's")
	}
	if f.Remote != "" && f.Remote != f.Workspace.Config.Remote {
		lines = append(lines, "remote = "+strconv.Quote(f.Remote))
	}
	if len(f.Examples) > 0 && len(f.Workspace.Config.Ignore) == 0 {
		var quoted []string
		for _, p := range f.Examples {
			quoted = append(quoted, strconv.Quote(p))
		}
		lines = append(lines, "ignore = ["+strings.Join(quoted, ", ")+"] # manifests that are not part of the workspace")
	}
	text, err := c.read(m.Path)
	if err != nil {
		return err
	}
	before := text
	switch {
	case len(lines) == 0:
	case hasTable(m, f.Workspace, "release"):
		f.WontWork = append(f.WontWork, "[tool.release] of "+m.Path+" lacks settings whose defaults do not fit\n    → add to this table: "+strings.Join(lines, "; "))
	default:
		text = strings.TrimRight(text, "\n") + "\n\n[tool.release]\n" + strings.Join(lines, "\n") + "\n"
	}
	if task := pixiTaskIn(m.Path, c.mage); r.Pixi && !strings.Contains(text, task[:strings.Index(task, ".dependencies]")]) {
		text = strings.TrimRight(text, "\n") + "\n\n" + task
		if lock, err := c.read(workspace.LockFile); err != nil || lock != "" {
			f.WontWork = append(f.WontWork, workspace.LockFile+" lacks the environment mage, so `pixi install --locked` refuses this file\n    → run `pixi lock`, and commit this file with the others")
		}
	}
	if text == before {
		return nil
	}
	why := "[tool.release], with the settings whose default does not fit"
	if len(lines) == 0 {
		why = "the task `mage`, for people who have pixi and no Go"
	}
	return c.write(c.at(m.Path), text, why)
}

// pixiTask is the task for users who have pixi but not Go. Its environment is solved separately.
const pixiTask = `[feature.mage.dependencies]
go = ">=1.26"

[feature.mage.tasks]
mage = "%s"

[environments.mage]
features = ["mage"]
no-default-feature = true
`

// pixiTaskIn returns pixiTask for a manifest. In a pyproject.toml, all pixi tables are below [tool.pixi].
func pixiTaskIn(file, mage string) string {
	task := fmt.Sprintf(pixiTask, mage)
	if path.Base(file) != manifest.PyprojectFile {
		return task
	}
	return strings.ReplaceAll("\n"+task, "\n[", "\n[tool.pixi.")[1:]
}

// ignored lists the ways in which .gitignore may name a folder in the root.
var ignored = []string{"%s", "%s/", "/%s", "/%s/", "**/%s", "**/%s/", "%s/*", "/%s/*"}

// ignore adds the output folders of our targets to .gitignore.
func (c *changes) ignore() error {
	text, err := c.read(".gitignore")
	if err != nil {
		return err
	}
	has := map[string]bool{}
	for line := range strings.Lines(text) {
		has[strings.TrimSpace(line)] = true
	}
	var missing []string
	for _, folder := range []string{workspace.OutputDir, ".pixi"} {
		if !slices.ContainsFunc(ignored, func(form string) bool { return has[fmt.Sprintf(form, folder)] }) {
			missing = append(missing, "/"+folder+"/")
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return c.write(c.at(".gitignore"), text+strings.Join(missing, "\n")+"\n", "the folders that the targets write to")
}
