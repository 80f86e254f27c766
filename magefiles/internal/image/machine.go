package image

import (
	"bytes"
	"context"
	"debug/elf"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// machines are what ELF calls the architectures of OCI.
var machines = map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64, "ppc64le": elf.EM_PPC64}

// usual are the programs that an image of Python has, whatever it is started by.
var usual = []string{"sh", "python3", "python"}

// ofItsPlatform compares the machine of what runs in an image with the platform that it is published for: a last stage on
// $BUILDPLATFORM, or on a platform that is written there, puts the programs of one into the image of the other, and a builder that runs
// them passes the check. The programs come by way of the builder, which has the layers, and are not run.
func (j *Job) ofItsPlatform(ctx context.Context, one Image) error {
	dir := filepath.Join(j.Dir, "programs-"+strings.ReplaceAll(one.Platform, "/", "-"))
	defer os.RemoveAll(dir)
	names := slices.Concat(started(one.Entrypoint), started(j.Plan.Check), usual)
	dirs := pathOf(one.Env)
	for range 2 { // what a script starts is looked for once more
		found, err := j.fetch(ctx, one, dir, places(names, dirs))
		if err != nil {
			return err
		}
		var further []string
		for _, p := range found {
			if err := p.fits(one.Platform); err != nil {
				return operr.New("let the last stage of the Dockerfile stand on the platform that is asked for: FROM without --platform, or with $TARGETPLATFORM; and let COPY take what is made for $TARGETARCH. No tag was moved",
					"the image of %s for %s has a program of another platform: %w", j.Plan.Name, one.Platform, err)
			}
			names, further = append(names, p.interpreters()...), append(further, p.folders()...)
		}
		if len(further) == 0 {
			break
		}
		dirs = further
	}
	return nil
}

func firstOf(argv []string) []string { return argv[:min(1, len(argv))] }

// wrappers start the program that stands behind their options.
var wrappers = []string{"tini", "dumb-init", "catatonit", "env", "nice", "exec", "time"}

// started are the programs that a command starts: the first word, what stands behind a wrapper, and what the script of a shell begins its
// commands with, as far as that is to be seen.
func started(argv []string) []string {
	names := firstOf(argv)
	if len(argv) > 0 && slices.Contains(wrappers, path.Base(argv[0])) {
		behind := slices.IndexFunc(argv[1:], func(w string) bool { return !strings.HasPrefix(w, "-") && !strings.Contains(w, "=") })
		if behind < 0 {
			return names
		}
		return append(slices.Clone(names), started(argv[1+behind:])...)
	}
	if len(argv) < 3 || !slices.Contains(shells, path.Base(argv[0])) || !strings.HasPrefix(argv[1], "-") || !strings.HasSuffix(argv[1], "c") {
		return names
	}
	names = slices.Clone(names)
	for _, c := range betweenCommands.Split(argv[2], -1) {
		words := slices.DeleteFunc(strings.Fields(c), func(w string) bool { return strings.Contains(w, "=") })
		if len(words) > 0 && len(names) < mostStarted {
			names = append(names, started(words)...)
		}
	}
	return names
}

// mostStarted is how many programs of a script are looked at: each is a step of a build.
const mostStarted = 30

var betweenCommands = lazily(`&&|[;|&\n(){}]`)

// pathOf are the folders in which an image looks for programs, the first one first.
func pathOf(env []string) []string {
	for _, e := range env {
		if list, ok := strings.CutPrefix(e, "PATH="); ok {
			return append(strings.Split(list, ":"), "/usr/bin", "/bin")
		}
	}
	return []string{"/usr/local/bin", "/usr/bin", "/bin"}
}

// places are where each program may be, the first one that counts first. What has odd characters in it is left out.
func places(names, dirs []string) map[string][]string {
	all := map[string][]string{}
	for _, name := range names {
		at := []string{name}
		if !strings.Contains(name, "/") {
			at = nil
			for _, d := range dirs {
				at = append(at, path.Join(d, name))
			}
		}
		at = slices.DeleteFunc(at, func(p string) bool { return !plainPath().MatchString(p) })
		if len(at) > 0 {
			all[path.Base(name)] = append(all[path.Base(name)], at...)
		}
	}
	return all
}

var plainPath = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(/[A-Za-z0-9._+-]*[A-Za-z0-9])+$`) })

// program is a file that an image runs, or a script that says what is run.
type program struct {
	name string
	text []byte // its beginning
}

// longest is as much of a program as is read: a header, or a script.
const longest = 1 << 20

// fetch takes programs out of an image, by a build that copies each from the first place that has it.
func (j *Job) fetch(ctx context.Context, one Image, dir string, places map[string][]string) (found []program, err error) {
	if err := os.RemoveAll(dir); err != nil {
		return nil, err
	}
	from, _ := j.subject()
	text := fmt.Appendf(nil, "FROM %s AS %s\nFROM scratch\n", from, subject)
	names := slices.Sorted(maps.Keys(places))
	for n, name := range names {
		argv := []string{}
		for _, p := range slices.Backward(places[name]) { // the last one that is copied stays
			argv = append(argv, wild(p))
		}
		line, err := json.Marshal(append(argv, fmt.Sprintf("/%d/", n)))
		if err != nil {
			return nil, err
		}
		text = fmt.Appendf(text, "COPY --from=%s %s\n", subject, line)
	}
	record, err := j.aside(ctx, one.Platform, text, `--output=type=local,"dest=`+strings.ReplaceAll(dir, `"`, `""`)+`"`)
	if cause := context.Cause(ctx); cause != nil {
		return nil, cause
	}
	if err != nil {
		return nil, operr.New("no tag was moved; see whether the builder can read the registry", "looking at the programs of %s for %s: %w", j.Plan.Name, one.Platform, err).WithDetail(lastLines(record))
	}
	for n, name := range names {
		text, err := beginning(filepath.Join(dir, fmt.Sprint(n), name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		found = append(found, program{name: name, text: text})
	}
	return found, nil
}

// wild is a pattern of a path alone. A path that is not there fails a COPY, and a pattern that nothing fits does not.
func wild(p string) string {
	parts := strings.Split(strings.TrimPrefix(p, "/"), "/")
	for n, part := range parts {
		last := len(part) - 1
		parts[n] = part[:last] + "[" + part[last:] + "]"
	}
	return "/" + strings.Join(parts, "/")
}

// beginning is that of a regular file. Errors: fs.ErrNotExist, for anything else that is there too.
func beginning(file string) ([]byte, error) {
	if info, err := os.Lstat(file); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(err, fs.ErrNotExist)
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, longest))
}

// fits says of what other machine a program is.
func (p program) fits(platform string) error {
	_, arch, _ := strings.Cut(platform, "/")
	arch, _, _ = strings.Cut(arch, "/")
	want, known := machines[arch]
	if !known || len(p.text) < 20 || !bytes.HasPrefix(p.text, []byte(elf.ELFMAG)) {
		return nil
	}
	var order binary.ByteOrder = binary.LittleEndian
	if elf.Data(p.text[elf.EI_DATA]) == elf.ELFDATA2MSB {
		order = binary.BigEndian
	}
	is := elf.Machine(order.Uint16(p.text[18:])) // e_machine
	if is == want && order == binary.LittleEndian {
		return nil
	}
	for arch, m := range machines {
		if m == is && order == binary.LittleEndian {
			return fmt.Errorf("%s is for %s", p.name, arch)
		}
	}
	return fmt.Errorf("%s is for %s", p.name, is)
}

// interpreters are the programs that a script names in its first line.
func (p program) interpreters() []string {
	line, _, _ := bytes.Cut(p.text, []byte("\n"))
	rest, ok := bytes.CutPrefix(line, []byte("#!"))
	if !ok {
		return nil
	}
	words := strings.Fields(string(rest))
	if len(words) > 1 && path.Base(words[0]) == "env" {
		return words[:2]
	}
	return firstOf(words)
}

var binFolder = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?:/[A-Za-z0-9._+-]+)+/bin\b`) })

// folders are those of programs that a script names: it may put them into PATH.
func (p program) folders() []string {
	if !bytes.HasPrefix(p.text, []byte("#!")) {
		return nil
	}
	all := binFolder().FindAllString(string(p.text), -1)
	slices.Sort(all)
	return slices.Compact(all)
}
