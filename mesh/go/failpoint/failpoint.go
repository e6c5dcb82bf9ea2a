// Package failpoint marks places where a test can let the process die as if its power had gone. The files and
// their format are those of mesh/runtime/failpoint.ts, so that the same chaos run arms both runtimes.
package failpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// Pass marks a place. It does nothing unless WEFT_FAILPOINTS names a folder when the process starts.
func Pass(name string) {
	if armed != nil {
		armed.pass(name)
	}
}

var armed = fromEnvironment()

type plan struct {
	mutex  sync.Mutex
	file   string
	passes *os.File
	line   string
	name   string
	left   int
}

var plannedLine = regexp.MustCompile(`^([\w.]+) (\d{1,6})$`)

func fromEnvironment() *plan {
	folder := os.Getenv("WEFT_FAILPOINTS")
	if folder == "" {
		return nil
	}
	if os.Getenv("NODE_ENV") == "production" {
		panic("WEFT_FAILPOINTS: not in production")
	}
	name := os.Getenv("WEFT_SERVICE")
	if name == "" {
		name = "process"
	}
	file := filepath.Join(folder, name)
	passes, err := os.OpenFile(file+".passes", os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		panic(fmt.Sprintf("WEFT_FAILPOINTS: %v", err))
	}
	return &plan{file: file, passes: passes}
}

func (p *plan) pass(name string) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	fmt.Fprintln(p.passes, name)
	if p.line == "" {
		p.line = p.nextLine()
		if p.line == "" {
			return
		}
		match := plannedLine.FindStringSubmatch(p.line)
		if match == nil {
			panic(fmt.Sprintf("WEFT_FAILPOINTS: a line of the plan is not \"FAILPOINT N\": %s", p.line))
		}
		p.name = match[1]
		p.left, _ = strconv.Atoi(match[2])
	}
	if name != p.name {
		return
	}
	if p.left--; p.left > 0 || p.nextLine() != p.line {
		return // not yet, or taken back
	}
	crashes, err := os.OpenFile(p.file+".crashes", os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		panic(fmt.Sprintf("WEFT_FAILPOINTS: %v", err))
	}
	fmt.Fprintln(crashes, name)
	crashes.Close()
	syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {} // the signal arrives while nothing else goes on here
}

// nextLine is the line of the plan that has not happened yet; "" when there is none.
func (p *plan) nextLine() string {
	planned, happened := linesOf(p.file+".plan"), linesOf(p.file+".crashes")
	if len(happened) >= len(planned) {
		return ""
	}
	return planned[len(happened)]
}

func linesOf(file string) []string {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		panic(fmt.Sprintf("WEFT_FAILPOINTS: %v", err))
	}
	return strings.FieldsFunc(string(text), func(r rune) bool { return r == '\n' })
}
