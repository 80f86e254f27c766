package command

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// HandedOver is the variable with the number of the file that a process hands its credentials to the program over by, which it
// becomes.
const HandedOver = "PIPELINE_CREDENTIALS_FD"

// ways lead to a credential and are not one: others may read them, since they can find the file or the socket anyway.
var ways = []string{
	"SSH_AUTH_SOCK", "SSH_AGENT_PID", "*ASKPASS", "GPG_*", "DOCKER_CONFIG", "KUBECONFIG", "NETRC", "*_FILE", "GOOGLE_APPLICATION_CREDENTIALS", "AWS_PROFILE", "AWS_CONFIG_FILE",
	"VAULT_ADDR", "CLOUDSDK_CONFIG", "AZURE_CONFIG_DIR",
}

// Reenter begins this program again, in the same process, with an environment without credentials. What a process was started with
// stays readable for others of the same user in /proc, whatever it does to its environment later; so they are handed over by
// a pipe. It returns those that were handed over to this one, as KEY=VALUE; or the error for which it could not be done, and
// the program goes on as it is. Where there is no credential, nothing is done.
func Reenter(environ []string) (handed []string, err error) {
	if number, ok := Getenv(environ, HandedOver); ok {
		return receive(number)
	}
	var secrets, clean []string
	for _, kv := range environ {
		if name, value, _ := strings.Cut(kv, "="); isCredential(name, value) && !matches(ways, name) {
			secrets = append(secrets, kv)
			continue
		}
		clean = append(clean, kv)
	}
	if secrets == nil {
		return nil, nil
	}
	data, err := json.Marshal(secrets)
	if err != nil {
		return nil, err
	}
	if len(data) > mostHanded {
		return nil, fmt.Errorf("the credentials have %d bytes, and a pipe holds %d", len(data), mostHanded)
	}
	path, err := os.Executable()
	if err != nil {
		return nil, err
	}
	var ends [2]int
	if err := syscall.Pipe(ends[:]); err != nil { // both are inherited
		return nil, err
	}
	defer syscall.Close(ends[0])
	_, err = syscall.Write(ends[1], data)
	syscall.Close(ends[1])
	if err != nil {
		return nil, err
	}
	return nil, syscall.Exec(path, os.Args, append(clean, HandedOver+"="+strconv.Itoa(ends[0])))
}

// mostHanded is how much a pipe takes on every system before anybody reads.
const mostHanded = 16 << 10

// receive reads what was handed over. Others of the same user cannot look into this process then.
func receive(number string) (handed []string, err error) {
	fd, err := strconv.ParseUint(number, 10, 16)
	if err != nil || fd < 3 {
		return nil, fmt.Errorf("%s=%q is not a number of a file", HandedOver, number)
	}
	f := os.NewFile(uintptr(fd), "credentials")
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, mostHanded))
	if err == nil {
		err = json.Unmarshal(data, &handed)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the credentials that were handed over: %w", err)
	}
	return handed, undumpable()
}
