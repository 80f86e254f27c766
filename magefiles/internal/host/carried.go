package host

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/beneath"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// sayings maps the options that an ssh_config in a repository may set to their valid values. They determine only the host that a name stands for,
// and the jump hosts. Any other option could let a branch make ssh start a program, load a library, accept an unknown host key, or read and send
// the operator's data. Values cannot contain quotes, tokens (%) or variables ($), because ssh passes a jump host to sh, and expands variables in a
// user name.
var sayings = map[string]*regexp.Regexp{
	"host":                regexp.MustCompile(`^!?[A-Za-z0-9_.:*?-]+(,!?[A-Za-z0-9_.:*?-]+)*$`),
	"hostname":            regexp.MustCompile(`^[A-Za-z0-9_:][A-Za-z0-9_.:-]*$`),
	"port":                digits,
	"user":                regexp.MustCompile(`^[A-Za-z0-9_.][A-Za-z0-9_.-]*$`),
	"proxyjump":           nil, // a list of hosts, validated by parse
	"addressfamily":       regexp.MustCompile(`^(any|inet|inet6)$`),
	"compression":         yesOrNo,
	"tcpkeepalive":        yesOrNo,
	"connectionattempts":  digits,
	"connecttimeout":      digits,
	"serveraliveinterval": digits,
	"serveralivecountmax": digits,
}

var (
	digits  = regexp.MustCompile(`^[0-9]{1,5}$`)
	yesOrNo = regexp.MustCompile(`^(yes|no)$`)
	said    = regexp.MustCompile(`^([A-Za-z0-9]+)(?:[ \t]*=[ \t]*|[ \t]+)([!-~][\t -~]*)$`)
)

// Configuration returns the path of the file that a manifest names as ssh_config. folder is the manifest's folder in the repository at root. A file
// with an absolute path outside the repository belongs to the operator, and may set anything. Any other file is checked.
func Configuration(root, folder, file string) (string, error) {
	if filepath.IsAbs(file) {
		if _, inside := beneath.Leads(root, file); !inside {
			return file, nil
		}
	} else {
		file = filepath.Join(root, filepath.FromSlash(folder), filepath.FromSlash(file))
	}
	return file, checkConfig(file)
}

// checkConfig checks an ssh_config in a repository. Connecting to a host must not run anything from a branch, trust a host that the operator does
// not trust, or send any of the operator's data except a login.
func checkConfig(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return operr.NewUsage("correct ssh_config in the environment's table", "reading the configuration for ssh: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		line = strings.Trim(line, " \t\r\n")
		if line == "" || line[0] == '#' {
			continue
		}
		m := said.FindStringSubmatch(line)
		if m == nil || !maySay(strings.ToLower(m[1]), m[2]) {
			return operr.NewUsage("use only Host, HostName, Port, User and ProxyJump in this file, without quotes or special characters; put all other settings into your own ssh configuration, or into a file outside the repository",
				"%s is in the repository, and such a file must not set this option for ssh: %q", filepath.Base(file), line)
		}
	}
	return nil
}

func maySay(keyword, value string) bool {
	form, known := sayings[keyword]
	values := []string{value}
	switch keyword {
	case "host":
		values = strings.Fields(value)
	case "proxyjump":
		return value == "none" || !slices.ContainsFunc(strings.Split(value, ","), func(jump string) bool {
			_, err := parse(jump)
			return err != nil
		})
	}
	return known && !slices.ContainsFunc(values, func(one string) bool { return !form.MatchString(one) })
}
