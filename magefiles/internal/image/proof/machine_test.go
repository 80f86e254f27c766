package proof

import (
	"context"
	"debug/elf"
	"encoding/binary"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/image/imagetest"
	"github.com/foopack/foopack/magefiles/internal/image/registry"
)

// header returns the start of an ELF file.
func header(machine elf.Machine, order binary.ByteOrder) string {
	text := make([]byte, 64)
	copy(text, elf.ELFMAG)
	text[elf.EI_CLASS], text[elf.EI_DATA] = byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB)
	if order == binary.BigEndian {
		text[elf.EI_DATA] = byte(elf.ELFDATA2MSB)
	}
	order.PutUint16(text[18:], uint16(machine))
	return string(text)
}

// `files` returns a fake docker that acts like BuildKit on a Dockerfile that extracts programs from an image with the given files.
func files(of map[string]string) func(context.Context, command.Cmd) error {
	return func(_ context.Context, c command.Cmd) error {
		dest, platforms := "", []string{}
		for _, a := range c.Args {
			if d, ok := strings.CutPrefix(a, `--output=type=local,"dest=`); ok {
				dest = strings.TrimSuffix(d, `"`)
			}
			if p, ok := strings.CutPrefix(a, "--platform="); ok {
				platforms = strings.Split(p, ",")
			}
		}
		if len(platforms) > 1 {
			dest = filepath.Join(dest, strings.ReplaceAll(platforms[len(platforms)-1], "/", "_"))
		}
		text, err := io.ReadAll(c.Stdin)
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(text)) {
			_, list, ok := strings.Cut(strings.TrimSpace(line), "COPY --from=subject ")
			if !ok {
				continue
			}
			var argv []string
			if err := json.Unmarshal([]byte(list), &argv); err != nil {
				return err
			}
			to := filepath.Join(dest, filepath.FromSlash(argv[len(argv)-1]))
			for _, pattern := range argv[:len(argv)-1] {
				if _, there := of[pattern]; !there && !strings.ContainsAny(pattern, "[*?") {
					return &command.ExitError{Name: "docker", Code: 1} // like a COPY whose pattern matches nothing
				}
				for file, text := range of {
					if fits, err := path.Match(pattern, file); err != nil || !fits {
						continue
					}
					if err := os.MkdirAll(to, 0o755); err != nil {
						return err
					}
					if err := os.WriteFile(filepath.Join(to, path.Base(file)), []byte(text), 0o644); err != nil {
						return err
					}
				}
			}
		}
		return nil
	}
}

// The programs in an image must be built for the image's platform, regardless of what the builder can run.
func TestProgramsMatchThePlatform(t *testing.T) {
	amd64, arm64 := header(elf.EM_X86_64, binary.LittleEndian), header(elf.EM_AARCH64, binary.LittleEndian)
	const is = "the image of theapp for linux/arm64 has a program of another platform: "
	for name, c := range map[string]struct {
		files map[string]string
		env   []string
		of    []string
		want  string // "" if the image is accepted
	}{
		"of the platform":           {map[string]string{"/usr/bin/sh": arm64, "/usr/bin/python3": arm64}, nil, nil, ""},
		"no program that is known":  {map[string]string{"/x": amd64}, nil, nil, ""},
		"on the builder's platform": {map[string]string{"/usr/bin/sh": amd64}, nil, nil, is + "sh is for amd64"},
		"no program of the check":   {map[string]string{"/usr/bin/python3": amd64}, nil, nil, is + "python3 is for amd64"},
		"of 32 bits":                {map[string]string{"/bin/sh": header(elf.EM_ARM, binary.LittleEndian)}, nil, nil, is + "sh is for EM_ARM"},
		"of the other byte order":   {map[string]string{"/bin/sh": header(elf.EM_PPC64, binary.BigEndian)}, nil, nil, is + "sh is for EM_PPC64"},
		"the entry point":           {map[string]string{"/bin/sh": arm64, "/app/serve": amd64}, nil, []string{"/app/serve"}, is + "serve is for amd64"},
		"by PATH":                   {map[string]string{"/bin/sh": arm64, "/opt/env/bin/serve": amd64}, []string{"A=1", "PATH=/opt/env/bin:/bin"}, []string{"serve"}, is + "serve is for amd64"},
		"the first in PATH counts":  {map[string]string{"/opt/bin/python": arm64, "/bin/python": amd64}, []string{"PATH=/opt/bin:/bin"}, nil, ""},
		"a script's interpreter":    {map[string]string{"/app/serve": "#!/opt/lua -q\n", "/opt/lua": amd64}, nil, []string{"/app/serve"}, ""},
		"a script's folder": {
			files: map[string]string{"/app/serve": "#!/bin/sh\nexport PATH=\"/app/.pixi/envs/default/bin:$PATH\"\nexec \"$@\"\n", "/app/.pixi/envs/default/bin/python": amd64},
			env:   nil,
			of:    []string{"/app/serve"},
			want:  is + "python is for amd64",
		},
		"a script's interpreter in such a folder": {
			files: map[string]string{"/app/serve": "#!/usr/bin/env lua\n-- /opt/bin\n", "/opt/bin/lua": amd64},
			env:   nil,
			of:    []string{"/app/serve"},
			want:  is + "lua is for amd64",
		},
		"behind a wrapper": {
			files: map[string]string{"/bin/sh": arm64, "/bin/tini": arm64, "/app/serve": amd64},
			env:   nil,
			of:    []string{"tini", "-g", "--", "/app/serve"},
			want:  is + "serve is for amd64",
		},
		"in a shell": {
			files: map[string]string{"/bin/sh": arm64, "/app/serve": amd64},
			env:   []string{"PATH=/app:/bin"},
			of:    []string{"sh", "-c", `cd /app && LOG=x exec serve "$@"`},
			want:  is + "serve is for amd64",
		},
		"two of one name": {
			files: map[string]string{"/bin/python3": arm64, "/app/python3": amd64},
			env:   nil,
			of:    []string{"/app/python3"},
			want:  is + "python3 is for amd64",
		},
		"beside PATH": {
			files: map[string]string{"/opt/bin/x": arm64, "/usr/bin/python3": amd64},
			env:   []string{"PATH=/opt/bin"},
			of:    nil,
			want:  is + "python3 is for amd64",
		},
		"in a shell, behind other flags": {
			files: map[string]string{"/bin/bash": arm64, "/app/serve": amd64},
			env:   nil,
			of:    []string{"/bin/bash", "-eo", "pipefail", "-c", `exec /app/serve "$@"`},
			want:  is + "serve is for amd64",
		},
		"a short file":    {map[string]string{"/bin/sh": elf.ELFMAG}, nil, nil, ""},
		"an odd name":     {map[string]string{"/bin/sh": arm64}, []string{`PATH=/a"b:$HOME/bin:relative`}, []string{`/a b/["x`}, ""},
		"without a place": {nil, nil, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			j := prover(t, files(c.files))
			err := j.examine(t.Context(), []registry.Image{{Platform: "linux/arm64", Env: c.env, Entrypoint: c.of}})
			left, lerr := filepath.Glob(filepath.Join(j.Dir, "programs-*"))
			require.NoError(t, lerr)
			require.Empty(t, left)
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, c.want)
		})
	}

	j := prover(t, imagetest.Say(1, "no such host"))
	require.ErrorContains(t, j.examine(t.Context(), []registry.Image{{Platform: "linux/arm64"}}), "looking at the programs of theapp for linux/arm64")
}

// A single build fetches the programs of several platforms if they are in the same places. A platform that is missing in the result is fetched
// separately.
func TestProgramsOfSeveralPlatforms(t *testing.T) {
	const amd64, arm64, ppc = "linux/amd64", "linux/arm64", "linux/ppc64le"
	of := func(platform string, entry ...string) registry.Image {
		return registry.Image{Platform: platform, Entrypoint: entry}
	}
	script := "#!/bin/sh\nPATH=/opt/env/bin:$PATH\n"
	for name, c := range map[string]struct {
		images []registry.Image
		files  map[string]string
		builds []string
		want   string
	}{
		"one":               {[]registry.Image{of(amd64)}, nil, []string{amd64}, ""},
		"alike":             {[]registry.Image{of(amd64), of(arm64)}, map[string]string{"/bin/sh": "#!x"}, []string{amd64 + "," + arm64, amd64}, ""}, // this builder writes only the last platform
		"alike, one wrong":  {[]registry.Image{of(amd64), of(arm64)}, map[string]string{"/bin/sh": header(elf.EM_X86_64, binary.LittleEndian)}, []string{amd64 + "," + arm64, amd64}, "for linux/arm64 has a program of another platform: sh is for amd64"},
		"alike, other":      {[]registry.Image{of(arm64), of(amd64)}, map[string]string{"/bin/sh": header(elf.EM_X86_64, binary.LittleEndian)}, []string{arm64 + "," + amd64, arm64}, "for linux/arm64 has a program of another platform: sh is for amd64"},
		"two and one":       {[]registry.Image{of(amd64, "/a"), of(arm64, "/b"), of(ppc, "/a")}, map[string]string{"/a": ""}, []string{amd64 + "," + ppc, amd64, arm64}, ""},
		"a script, in both": {[]registry.Image{of(amd64, "/a"), of(arm64, "/a")}, map[string]string{"/a": script}, []string{amd64 + "," + arm64, amd64, amd64 + "," + arm64, amd64}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var builds []string
			kit := files(c.files)
			j := prover(t, func(ctx context.Context, k command.Cmd) error {
				builds = append(builds, strings.TrimPrefix(k.Args[2], "--platform="))
				return kit(ctx, k)
			})
			err := j.examine(t.Context(), c.images)
			require.Equal(t, c.builds, builds)
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.want)
		})
	}
}

// A program for the wrong platform is rejected even if no builder can run the platform, and regardless of the check.
func TestProgramsAreCheckedWithoutRunningThem(t *testing.T) {
	j := prover(t, files(map[string]string{"/bin/sh": header(elf.EM_X86_64, binary.LittleEndian)}))
	j.Runs = []string{"linux/amd64"}
	done, err := j.Prove(t.Context(), []registry.Image{{Platform: "linux/amd64"}, {Platform: "linux/arm64"}})
	require.ErrorContains(t, err, "the image of theapp for linux/arm64 has a program of another platform")
	require.Empty(t, done.Now)
}

func TestPatternsOfPaths(t *testing.T) {
	require.Equal(t, "/us[r]/bi[n]/s[h]", spellPattern("/usr/bin/sh"))
	require.Equal(t, "/[x]", spellPattern("/x"))
}

// The check of a downstream is a shell script. The programs that it names must be built for the platform.
func TestProgramsOfACheck(t *testing.T) {
	for _, c := range []struct{ argv, want []string }{
		{nil, nil},
		{[]string{"theapp", "/data"}, []string{"theapp"}},
		{[]string{"sh", "-c", "theapp --version"}, []string{"sh", "theapp"}},
		{[]string{"/bin/bash", "-lc", "set -e; A=b theapp /data | grep x && (other)"}, []string{"/bin/bash", "set", "theapp", "grep", "other"}},
		{[]string{"env", "-i", "A=b", "nice", "theapp"}, []string{"env", "nice", "theapp"}},
		{[]string{"tini", "--"}, []string{"tini"}},
		{[]string{"tini", "--", "sh", "-c", "exec theapp"}, []string{"tini", "sh", "exec", "theapp"}},
		{[]string{"python", "-c", "a; b"}, []string{"python"}},
		{[]string{"sh", "/entry.sh", "theapp serve"}, []string{"sh"}},
		{[]string{"bash", "-x", "/entry.sh"}, []string{"bash"}},
		{[]string{"sh", "-c"}, []string{"sh"}},
		{[]string{"bash", "-l", "-c", "theapp serve"}, []string{"bash", "theapp"}},
		{[]string{"/bin/bash", "-eo", "pipefail", "-c", "exec theapp"}, []string{"/bin/bash", "exec", "theapp"}},
		{[]string{"bash", "--norc", "-ec", "theapp"}, []string{"bash", "theapp"}},
	} {
		require.Equal(t, c.want, listStarted(c.argv), c.argv)
	}
	require.Len(t, listStarted([]string{"sh", "-c", strings.Repeat("theapp;", 100)}), mostStarted)
}

// The machine is identified by its number and the byte order. Files that are not ELF programs, and unknown platforms, are accepted.
func TestProgramsFitTheirPlatform(t *testing.T) {
	for _, c := range []struct{ platform, text, want string }{
		{"linux/amd64", header(elf.EM_X86_64, binary.LittleEndian), ""},
		{"linux/amd64", header(elf.EM_AARCH64, binary.LittleEndian), "x is for arm64"},
		{"linux/amd64", header(elf.EM_386, binary.LittleEndian), "x is for EM_386"},
		{"linux/arm64/v8", header(elf.EM_AARCH64, binary.LittleEndian), ""},
		{"linux/arm64/v8", header(elf.EM_X86_64, binary.LittleEndian), "x is for amd64"},
		{"linux/ppc64le", header(elf.EM_PPC64, binary.LittleEndian), ""},
		{"linux/ppc64le", header(elf.EM_PPC64, binary.BigEndian), "x is for EM_PPC64"},
		{"linux/riscv64", header(elf.EM_X86_64, binary.LittleEndian), ""},
		{"linux/amd64", "#!/bin/sh\n# longer than a header\n", ""},
		{"linux/amd64", header(elf.EM_AARCH64, binary.LittleEndian)[:19], ""},
	} {
		err := program{name: "x", text: []byte(c.text)}.fits(c.platform)
		if c.want == "" {
			require.NoError(t, err, c.platform)
			continue
		}
		require.EqualError(t, err, c.want, c.platform)
	}
}

// Anything can be at a program's path in an image: a link to one of our files, a folder, or an endless file.
func TestHostilePrograms(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	require.NoError(t, os.WriteFile(at("plain"), []byte("text"), 0o644))
	require.NoError(t, os.Symlink("plain", at("link")))
	require.NoError(t, os.Mkdir(at("folder"), 0o755))
	require.NoError(t, os.WriteFile(at("long"), nil, 0o644))
	require.NoError(t, os.Truncate(at("long"), 1<<30))
	text, err := readBeginning(at("plain"))
	require.NoError(t, err)
	require.Equal(t, "text", string(text))
	for _, name := range []string{"link", "folder", "none"} {
		_, err := readBeginning(at(name))
		require.ErrorIs(t, err, fs.ErrNotExist, name)
	}
	text, err = readBeginning(at("long"))
	require.NoError(t, err)
	require.Len(t, text, longest)
}
