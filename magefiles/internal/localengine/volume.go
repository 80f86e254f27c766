package localengine

import (
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"

	"github.com/moby/moby/api/types/volume"
)

// volumeOf is a volume, stored in a folder on this machine.
type volumeOf struct {
	volume.Volume
}

// Volume returns a volume's folder.
func (e *Engine) Volume(name string) string { return filepath.Join(e.dir, "volumes", name) }

// ensureVolume creates a volume unless it exists. The caller must hold mu.
func (e *Engine) ensureVolume(name string, labels, options map[string]string) (*volumeOf, error) {
	if v := e.volumes[name]; v != nil {
		return v, nil
	}
	if name != filepath.Base(name) || name[0] == '.' || name[0] == '-' {
		return nil, says(http.StatusBadRequest, "%q includes invalid characters for a local volume name", name)
	}
	if err := os.MkdirAll(e.Volume(name), 0o755); err != nil {
		return nil, err
	}
	v := &volumeOf{Volume: volume.Volume{Name: name, Driver: "local", Scope: "local", Mountpoint: e.Volume(name), Labels: labels, Options: options}}
	e.volumes[name] = v
	return v, nil
}

// forget empties the in-memory volumes that no running container uses. The caller must hold mu.
func (e *Engine) forget() {
	used := map[string]bool{}
	for _, c := range e.containers {
		if c.running() {
			for _, m := range c.host.Mounts {
				used[m.Source] = true
			}
		}
	}
	for name, v := range e.volumes {
		if v.Options["type"] != "tmpfs" || used[name] {
			continue
		}
		files, _ := os.ReadDir(e.Volume(name))
		for _, f := range files {
			_ = os.RemoveAll(filepath.Join(e.Volume(name), f.Name()))
		}
	}
}

func (e *Engine) createVolume(w http.ResponseWriter, r *http.Request, _ string) error {
	var q volume.CreateRequest
	if err := read(r, &q); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	v, err := e.ensureVolume(q.Name, q.Labels, q.DriverOpts)
	if err != nil {
		return err
	}
	send(w, http.StatusCreated, v.Volume)
	return nil
}

func (e *Engine) listVolumes(w http.ResponseWriter, r *http.Request, _ string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := volume.ListResponse{Volumes: []volume.Volume{}}
	for _, name := range slices.Sorted(maps.Keys(e.volumes)) {
		if v := e.volumes[name]; filtered(r, v.Labels) {
			all.Volumes = append(all.Volumes, v.Volume)
		}
	}
	send(w, http.StatusOK, all)
	return nil
}

func (e *Engine) inspectVolume(w http.ResponseWriter, _ *http.Request, name string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	v := e.volumes[name]
	if v == nil {
		return says(http.StatusNotFound, "get %s: no such volume", name)
	}
	send(w, http.StatusOK, v.Volume)
	return nil
}

func (e *Engine) removeVolume(w http.ResponseWriter, _ *http.Request, name string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.volumes[name] == nil {
		return says(http.StatusNotFound, "get %s: no such volume", name)
	}
	for _, c := range e.containers {
		for _, m := range c.host.Mounts {
			if m.Source == name {
				return says(http.StatusConflict, "remove %s: volume is in use - [%s]", name, c.ID)
			}
		}
	}
	delete(e.volumes, name)
	if err := os.RemoveAll(e.Volume(name)); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
