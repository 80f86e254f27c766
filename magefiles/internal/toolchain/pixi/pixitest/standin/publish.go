package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/condapkg/condapkgtest"
	"github.com/foopack/foopack/magefiles/internal/toolchain/pixi/pixitest/transcripts"
)

// publish imitates `pixi publish [--path=P] --target-dir=D`.
func (s *standin) publish(args []string) int {
	path, target := s.flag(args, "--path"), s.flag(args, "--target-dir")
	if build := s.flag(args, "--build-dir"); build != "" && !filepath.IsAbs(build) {
		panic("build dir is not absolute") // pixi panics in this case
	}
	packages := s.published()
	if path != "" {
		if !exists(filepath.Join(path, s.manifestName(path))) {
			return s.say("publish-no-such", "nowhere", path)
		}
		p, ok := s.packageIn(filepath.Join(s.dir, path))
		if !ok {
			return s.say("publish-no-such", "nowhere", path)
		}
		if len(p.sources) > 0 {
			return s.say("publish-path-source-run-dep", "'specs'", "'"+p.name+"'", "(plain)", "("+strings.Join(p.sources, ", ")+")")
		}
		packages = []pkg{p}
	}
	for _, name := range s.Foreign {
		packages = append(packages, pkg{name: name, version: "0.0.1", depends: []string{"python"}})
	}
	packages = slices.DeleteFunc(packages, func(p pkg) bool { return slices.Contains(s.NoOutput, p.name) })
	check(os.MkdirAll(target, 0o755))
	var files, skipped []string
	for _, p := range packages {
		file, skip := s.build(p, target)
		files = append(files, file)
		if skip {
			skipped = append(skipped, file)
		}
	}
	s.report(packages, files, skipped, target)
	return 0
}

// flag returns the value of `--name=value`.
func (s *standin) flag(args []string, name string) string {
	for _, a := range args {
		if value, ok := strings.CutPrefix(a, name+"="); ok {
			return value
		}
	}
	return ""
}

// build writes one archive to target, unless the file already exists.
func (s *standin) build(p pkg, target string) (file string, skipped bool) {
	if v := s.Versions[p.name]; v != "" {
		p.version = v
	}
	depends := slices.DeleteFunc(slices.Clone(p.depends), func(d string) bool {
		name, _, _ := strings.Cut(d, " ")
		return slices.Contains(s.Drop[p.name], name)
	})
	depends = append(depends, s.Add[p.name]...)
	made := condapkgtest.Package{Name: p.name, Version: p.version, Depends: depends}
	if m, ok := s.Made[p.name]; ok {
		made.Subdir, made.Noarch, made.Files = cmp.Or(m.Subdir, "noarch"), condapkg.Noarch(m.Noarch), m.Files
	}
	if p.constrains != nil {
		made.Extra = map[string]any{"constrains": p.constrains}
	}
	c := made.Container()
	file = c.Stem + condapkg.Ext
	path := filepath.Join(target, file)
	if exists(path) || slices.Contains(s.Skip, p.name) {
		return file, true
	}
	f, err := os.Create(path)
	check(err)
	check(condapkg.Write(f, c))
	check(f.Close())
	return file, false
}

// report prints the same output as pixi. It is based on a recorded call with one package.
func (s *standin) report(packages []pkg, files, skipped []string, target string) {
	count := func(line string) string {
		return strings.ReplaceAll(line, "1 package(s)", fmt.Sprintf("%d package(s)", len(files)))
	}
	for line := range strings.Lines(transcripts.Read("publish-path-again").Stderr) {
		line = count(strings.ReplaceAll(line, "out5", target))
		switch {
		case strings.HasPrefix(line, "  - plain v"):
			for _, p := range packages {
				fmt.Fprint(os.Stderr, strings.ReplaceAll(line, "plain v0.1.0", p.name+" v"+p.version))
			}
		case strings.Contains(line, "plain-0.1.0-pyh4616a5c_0.conda"):
			list := files
			if strings.Contains(line, "Skipping") {
				list = skipped
			}
			for _, f := range list {
				fmt.Fprint(os.Stderr, strings.ReplaceAll(line, "plain-0.1.0-pyh4616a5c_0.conda", f))
			}
		default:
			fmt.Fprint(os.Stderr, line)
		}
	}
}
