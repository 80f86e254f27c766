package proof

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
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/image/buildx"
	"github.com/foopack/foopack/magefiles/internal/lazyregexp"
)

// program is an executable file in an image: a binary, or a script that names other programs.
type program struct {
	name string
	text []byte // start of the file
}

// longest limits how many bytes of a program are read. It is enough for an ELF header or a script.
const longest = 1 << 20

// fetch extracts programs from images with a build that copies each program from the first path that exists.
func (q *Prover) fetch(ctx context.Context, group []*searched) (found [][]program, err error) {
	var platforms []string
	for _, s := range group {
		platforms = append(platforms, s.Platform)
	}
	dir := filepath.Join(q.Dir, "programs-"+strings.ReplaceAll(strings.Join(platforms, "-"), "/", "-"))
	defer os.RemoveAll(dir)
	if err := os.RemoveAll(dir); err != nil {
		return nil, err
	}
	from, _ := q.locate()
	where := listPlaces(group[0].names, group[0].dirs)
	names := slices.Sorted(maps.Keys(where))
	text, err := writeDockerfileOfPrograms(from, names, where)
	if err != nil {
		return nil, err
	}
	record, err := q.buildAside(ctx, strings.Join(platforms, ","), text, "type=local,"+buildx.CSVField("dest="+dir))
	if cause := context.Cause(ctx); cause != nil {
		return nil, cause
	}
	if err != nil {
		return nil, q.Builder.ExplainUnread(ctx, err, record, q.Repository, fmt.Sprintf("looking at the programs of %s for %s", q.Name, strings.Join(platforms, " and ")))
	}
	for _, s := range group {
		at := dir
		if len(group) > 1 { // BuildKit exports each platform to its own folder
			at = filepath.Join(dir, strings.ReplaceAll(s.Platform, "/", "_"))
			if info, err := os.Stat(at); err != nil || !info.IsDir() {
				alone, err := q.fetch(ctx, []*searched{s})
				if err != nil {
					return nil, err
				}
				found = append(found, alone[0])
				continue
			}
		}
		programs, err := readPrograms(at, names)
		if err != nil {
			return nil, err
		}
		found = append(found, programs)
	}
	return found, nil
}

// writeDockerfileOfPrograms returns a Dockerfile that copies each program to a numbered folder.
func writeDockerfileOfPrograms(from string, names []string, places map[string][]string) ([]byte, error) {
	text := fmt.Appendf(nil, "FROM %s AS %s\nFROM scratch\n", from, subject)
	for n, name := range names {
		argv := []string{}
		for _, p := range slices.Backward(places[name]) { // the last copy overwrites the others
			argv = append(argv, spellPattern(p))
		}
		line, err := json.Marshal(append(argv, fmt.Sprintf("/%d/", n)))
		if err != nil {
			return nil, err
		}
		text = fmt.Appendf(text, "COPY --from=%s %s\n", subject, line)
	}
	return text, nil
}

func readPrograms(dir string, names []string) (found []program, err error) {
	for n, name := range names {
		text, err := readBeginning(filepath.Join(dir, fmt.Sprint(n), name))
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

// spellPattern returns a pattern that matches only this path. COPY fails if a path does not exist, but not if a pattern matches nothing.
func spellPattern(p string) string {
	parts := strings.Split(strings.TrimPrefix(p, "/"), "/")
	for n, part := range parts {
		last := len(part) - 1
		parts[n] = part[:last] + "[" + part[last:] + "]"
	}
	return "/" + strings.Join(parts, "/")
}

// readBeginning returns the start of a regular file. It returns fs.ErrNotExist for anything else.
func readBeginning(file string) ([]byte, error) {
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

// fits returns an error if the program is for another machine than the platform's.
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

// interpreters returns the programs in a script's first line.
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
	return takeFirst(words)
}

var binFolder = lazyregexp.New(`(?:/[A-Za-z0-9._+-]+)+/bin\b`)

// folders returns the bin folders that a script mentions, because it may add them to PATH.
func (p program) folders() []string {
	if !bytes.HasPrefix(p.text, []byte("#!")) {
		return nil
	}
	all := binFolder().FindAllString(string(p.text), -1)
	slices.Sort(all)
	return slices.Compact(all)
}
