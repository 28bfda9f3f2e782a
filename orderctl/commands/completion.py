"""orderctl completion"""

from typing import Annotated, Literal

import typer

from orderctl.output.exit_codes import ExitCode
from orderctl.output.streams import print_line

Shell = Literal["bash", "zsh", "fish"]

_SCRIPTS: dict[Shell, str] = {
    "bash": """\
_orderctl() {
    local IFS=$'\\n'
    COMPREPLY=($(orderctl complete bash "$COMP_CWORD" "${COMP_WORDS[@]}" 2>/dev/null))
}
complete -o default -F _orderctl orderctl""",
    "zsh": """\
#compdef orderctl
_orderctl() {
    local -a found
    found=("${(@f)$(orderctl complete zsh $((CURRENT - 1)) "${words[@]}" 2>/dev/null)}")
    (( ${#found} )) && [[ -n ${found[1]} ]] && _describe 'orderctl' found || _files
}
compdef _orderctl orderctl""",
    "fish": """\
function __orderctl
    set -l words (commandline -opc) (commandline -ct)
    set -l found (orderctl complete fish (math (count $words) - 1) $words 2>/dev/null)
    if set -q found[1]
        string join \\n -- $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c orderctl -f -a '(__orderctl)'""",
}


def run(shell: Annotated[Shell, typer.Argument(metavar="SHELL", help="bash, zsh or fish.")]) -> ExitCode:
    """Print the script that makes a shell complete commands, orders and tokens.

    For bash, add this line to ~/.bashrc, and for zsh (with zsh instead of bash) to ~/.zshrc: source <(orderctl
    completion bash). For fish: orderctl completion fish > ~/.config/fish/completions/orderctl.fish
    """
    print_line(_SCRIPTS[shell])
    return ExitCode.OK
