# Files -> the first paragraph of each one's doc: `//!` in Rust, the docstring in Python, the first comment in TypeScript and CSS.
# Fails where a file says nothing. `make map` runs it.

function say() {
    if (file == "") return
    gsub(/^ +| +$/, "", text)
    if (text == "") { text = "(no doc comment)"; n_silent++ }
    printf "%s: %s\n", file, text
}

FNR == 1 {
    say()
    file = FILENAME
    text = ""
    is_over = 0
    mark = file ~ /\.rs$/ ? "//!" : file ~ /\.py$/ ? "\"\"\"" : "/*"
    if (index($0, mark) != 1) is_over = 1
}

is_over { next }

mark == "//!" && index($0, mark) != 1 { is_over = 1; next }

{
    line = $0
    sub(/^(\/\/!|""")/, "", line)
    if (mark == "/*") { sub(/^\/\*+/, "", line); sub(/^ +\*( |$)/, "", line) }
    ends = mark == "/*" ? index(line, "*/") : mark == "\"\"\"" ? index(line, mark) : 0
    if (ends) { line = substr(line, 1, ends - 1); is_over = 1 }
    gsub(/^ +| +$/, "", line)
    if (line == "" && text != "") is_over = 1
    if (line != "") text = text " " line
}

END {
    say()
    exit n_silent > 0
}
