package localengine

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/moby/moby/api/types/common"
	"github.com/moby/moby/api/types/system"
)

// answer is an error with an HTTP status.
type answer struct {
	status  int
	message string
}

func (a *answer) Error() string { return a.message }

func says(status int, format string, args ...any) error {
	return &answer{status: status, message: fmt.Sprintf(format, args...)}
}

// versioned matches the API version at the start of a path.
var versioned = regexp.MustCompile(`^/v1\.(\d+)/`)

// route is the handler of a path of the API.
type route struct {
	method string
	path   *regexp.Regexp
	handle func(e *Engine, w http.ResponseWriter, r *http.Request, of string) error
}

// one matches a name without slashes. Only image names may contain them.
const one = `([^/]+)`

var routes = []route{
	newRoute("GET", "/version", (*Engine).version),
	newRoute("GET", "/info", (*Engine).info),
	newRoute("POST", "/images/create", (*Engine).pull),
	newRoute("GET", "/images/json", (*Engine).listImages),
	newRoute("GET", "/images/(.+)/json", (*Engine).inspectImage),
	newRoute("DELETE", "/images/(.+)", (*Engine).removeImage),
	newRoute("GET", "/distribution/(.+)/json", (*Engine).distribution),
	newRoute("POST", "/containers/create", (*Engine).createContainer),
	newRoute("GET", "/containers/json", (*Engine).listContainers),
	newRoute("GET", "/containers/"+one+"/json", withContainer((*Engine).inspectContainer)),
	newRoute("POST", "/containers/"+one+"/start", withContainer((*Engine).startContainer)),
	newRoute("POST", "/containers/"+one+"/stop", withContainer((*Engine).stopContainer)),
	newRoute("POST", "/containers/"+one+"/wait", withContainer((*Engine).waitContainer)),
	newRoute("POST", "/containers/"+one+"/rename", withContainer((*Engine).renameContainer)),
	newRoute("POST", "/containers/"+one+"/update", withContainer((*Engine).updateContainer)),
	newRoute("POST", "/containers/"+one+"/attach", withContainer((*Engine).attachContainer)),
	newRoute("POST", "/containers/"+one+"/exec", withContainer((*Engine).createExec)),
	newRoute("GET", "/containers/"+one+"/logs", withContainer((*Engine).logsOfContainer)),
	newRoute("DELETE", "/containers/"+one, withContainer((*Engine).removeContainer)),
	newRoute("POST", "/exec/"+one+"/start", (*Engine).startExec),
	newRoute("GET", "/exec/"+one+"/json", (*Engine).inspectExec),
	newRoute("POST", "/networks/create", (*Engine).createNetwork),
	newRoute("GET", "/networks", (*Engine).listNetworks),
	newRoute("GET", "/networks/"+one, (*Engine).inspectNetwork),
	newRoute("DELETE", "/networks/"+one, (*Engine).removeNetwork),
	newRoute("POST", "/volumes/create", (*Engine).createVolume),
	newRoute("GET", "/volumes", (*Engine).listVolumes),
	newRoute("GET", "/volumes/"+one, (*Engine).inspectVolume),
	newRoute("DELETE", "/volumes/"+one, (*Engine).removeVolume),
}

func newRoute(method, pattern string, handle func(*Engine, http.ResponseWriter, *http.Request, string) error) route {
	return route{method: method, path: regexp.MustCompile("^" + pattern + "$"), handle: handle}
}

// `withContainer` returns a handler that first finds the container in the path.
func withContainer(handle func(*Engine, http.ResponseWriter, *http.Request, *Container) error) func(*Engine, http.ResponseWriter, *http.Request, string) error {
	return func(e *Engine, w http.ResponseWriter, r *http.Request, name string) error {
		c := e.container(name)
		if c == nil {
			return says(http.StatusNotFound, "No such container: %s", name)
		}
		return handle(e, w, r, c)
	}
}

func (e *Engine) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	path := r.URL.Path
	version := 0
	if m := versioned.FindStringSubmatch(path); m != nil {
		version, _ = strconv.Atoi(m[1])
		path = path[len(m[0])-1:]
	}
	shown := path
	if r.URL.RawQuery != "" {
		shown += "?" + r.URL.RawQuery
	}
	fault := e.note(Request{Method: r.Method, Path: shown, Header: r.Header.Clone(), Body: string(body)})
	switch fault {
	case Unanswered:
		panic(http.ErrAbortHandler)
	case Hanging:
		<-r.Context().Done()
		return
	case FullDisk:
		fail(w, says(http.StatusInternalServerError, "write /var/lib/docker/tmp/layer: no space left on device"))
		return
	case Broken:
		fail(w, says(http.StatusInternalServerError, "the engine has broken down"))
		return
	case Unheard:
		e.dispatch(&unheard{ResponseWriter: w, header: http.Header{}}, r, path, version)
		panic(http.ErrAbortHandler)
	}
	e.dispatch(w, r, path, version)
}

func (e *Engine) dispatch(w http.ResponseWriter, r *http.Request, path string, version int) {
	w.Header().Set("Api-Version", e.API)
	w.Header().Set("Ostype", "linux")
	if path == "/_ping" {
		_, _ = io.WriteString(w, "OK")
		return
	}
	newest, _ := strconv.Atoi(strings.TrimPrefix(e.API, "1."))
	if version > newest {
		fail(w, says(http.StatusBadRequest, "client version 1.%d is too new. Maximum supported API version is %s", version, e.API))
		return
	}
	for _, route := range routes {
		m := route.path.FindStringSubmatch(path)
		if m == nil || r.Method != route.method {
			continue
		}
		if err := route.handle(e, w, r, m[len(m)-1]); err != nil {
			fail(w, err)
		}
		return
	}
	fail(w, says(http.StatusNotFound, "page not found"))
}

func fail(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	if a := (*answer)(nil); errors.As(err, &a) {
		status = a.status
	}
	send(w, status, common.ErrorResponse{Message: err.Error()})
}

func send(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func read(r *http.Request, into any) error {
	if err := json.NewDecoder(r.Body).Decode(into); err != nil {
		return says(http.StatusBadRequest, "%v", err)
	}
	return nil
}

func (e *Engine) version(w http.ResponseWriter, _ *http.Request, _ string) error {
	send(w, http.StatusOK, system.VersionResponse{Version: "20.10.24", APIVersion: e.API, MinAPIVersion: "1.12", Os: "linux", Arch: e.Arch})
	return nil
}

// filtered reports whether labels match a request's filters.
func filtered(r *http.Request, labels map[string]string) bool {
	var filters map[string]map[string]bool
	_ = json.Unmarshal([]byte(r.URL.Query().Get("filters")), &filters)
	for want := range filters["label"] {
		key, value, hasValue := strings.Cut(want, "=")
		got, there := labels[key]
		if !there || hasValue && got != value {
			return false
		}
	}
	return true
}
