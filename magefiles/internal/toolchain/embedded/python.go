package embedded

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// The Python versions that the pinned tools are tested with. Newer ones are refused rather than tried.
const (
	oldestMinor = 11
	newestMinor = 13
)

// Interpreter is a Python on this machine.
type Interpreter struct {
	Path    string // of the real executable, not of a shim in front of it
	Version string // "3.12.1"
}

// minor is "3.12".
func (p Interpreter) minor() string {
	return p.Version[:strings.LastIndexByte(p.Version, '.')]
}

// FindPython returns the first usable interpreter on PATH. Every candidate is run: a version manager leaves programs on
// PATH that only say that the version is not chosen.
func FindPython(ctx context.Context, r command.Runner) (Interpreter, error) {
	names := []string{"python3"}
	for minor := newestMinor; minor >= oldestMinor; minor-- {
		names = append(names, fmt.Sprintf("python3.%d", minor))
	}
	var seen []string
	for _, name := range append(names, "python") {
		out, err := command.Output(ctx, r, command.Cmd{
			Name: name,
			Args: []string{"-I", "-c", "import sys; print(sys.executable); print('%d.%d.%d' % sys.version_info[:3])"},
		})
		if ctx.Err() != nil {
			return Interpreter{}, context.Cause(ctx)
		}
		path, version, ok := strings.Cut(out, "\n")
		if err != nil || !ok {
			continue
		}
		if supported(version) {
			return Interpreter{Path: path, Version: version}, nil
		}
		seen = append(seen, name+" is "+version)
	}
	found := "none was found on PATH"
	if len(seen) > 0 {
		found = "only others were found on PATH (" + strings.Join(seen, ", ") + ")"
	}
	return Interpreter{}, operr.New(
		"install one (on Debian: apt-get install python3 python3-venv), or install pixi",
		"the embedded toolchain needs Python 3.%d to 3.%d, and %s", oldestMinor, newestMinor, found)
}

func supported(version string) bool {
	parts := strings.Split(version, ".")
	if len(parts) != 3 || parts[0] != "3" {
		return false
	}
	minor, err := strconv.Atoi(parts[1])
	return err == nil && minor >= oldestMinor && minor <= newestMinor
}
