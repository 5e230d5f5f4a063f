"""The lines to paste on another machine: bash with nothing but /dev/tcp, PowerShell, the wizard itself.

Each tries every port at once, reports to a port that it could reach, and shows the table that it gets; where
it could reach none it shows its report, to be given to `reach --result`.
"""

from __future__ import annotations

from collections.abc import Sequence

_CONTROL = "gmail-smtp-in.l.google.com"
_BY_HAND = "Nothing arrived. On the server: mailcow-wizard reach --result"

# No single quote in it, no tool but sleep and cat. Results are told apart by what bash says of a connection
# in the C locale; jobs that hang are ended after eight seconds.
_BASH = (
    "t=$1 K=$2 U=$3;shift 3;"
    "k(){ exec 3<>/dev/tcp/$1/$2||exit;"
    '[ $3 ]&&{ echo "MW1 $t $2">&3;IFS= read -rt5 a<&3;};echo "+$1/$2 $a";};'
    'r=$({ for h in $*;do for p in $K;do k $h $p 1& j="$j $!";done;'
    'for p in $U;do k $h $p& j="$j $!";done;done;'
    f'k {_CONTROL} 25& j="$j $!";(sleep 8;kill $j)>/dev/null 2>&1& w=$!;wait $j;kill $w;}} 2>&1);'
    's(){ case "$r" in *"+$1/$2 MW1 OK"*)c=a;q=$1/$2;;*"+$1/$2 "*)c=o;[ $3 ]&&c=m;;'
    '*"/$1/$2: Connection refused"*|*"/$1/$2: No route to host"*)c=r;;'
    '*"/$1/$2: Network is unreachable"*|*"/$1/$2: Cannot assign"*|*"/$1/$2: Operation not permitted"*|'
    '*"/$1/$2: Permission denied"*)c=n;;*)c=s;;esac;m=$m.$p$c;};'
    "for h in $*;do f=4;case $h in *:*)f=6;esac;m=;"
    "for p in $K;do s $h $p 1;done;for p in $U;do s $h $p;done;"
    'o="$o$f:${m#.};";done;'
    f'c=s;case "$r" in *"+{_CONTROL}/25 "*)c=o;esac;o="${{o}}c:$c";'
    '[ $q ]&&exec 3<>/dev/tcp/$q&&echo "MW1 $t REPORT $o">&3&&cat -v<&3||'
    f'echo "{_BY_HAND} \\"$o\\""'
)

# What stands between angle brackets is filled in.
_POWERSHELL = (
    "$t='<token>';$k=@(<knock>);$u=@(<use>);$q=$null;$o='';$g='s';"
    f"$z=(New-Object Net.Sockets.TcpClient).ConnectAsync('{_CONTROL}',25);"
    "function c($h,$p){$x=New-Object Net.Sockets.TcpClient(([Net.IPAddress]$h).AddressFamily);"
    "$script:w=$x.ConnectAsync($h,$p);$x};"
    "foreach($h in @(<addresses>)){$j=@();"
    "foreach($p in $k+$u){try{$x=c $h $p;$j+=,@($p,$x,$w)}catch{$j+=,@($p,$null,$null)}};"
    "$d=(Get-Date).AddSeconds(6);$m=@();"
    "foreach($e in $j){$p=$e[0];$s='s';try{if(-not $e[2]){$s='n'}else{"
    "$l=[Math]::Max(1,[int]($d-(Get-Date)).TotalMilliseconds);"
    "if($e[2].Wait($l)){$s='o';if($k -contains $p){$s='m';$n=$e[1].GetStream();$n.ReadTimeout=5000;"
    '$b=[Text.Encoding]::ASCII.GetBytes("MW1 $t $p`n");$n.Write($b,0,$b.Length);'
    "if((New-Object IO.StreamReader $n).ReadLine() -like 'MW1 OK*'){$s='a';$q=@($h,$p)}}}}}"
    "catch{if($s -eq 's'){$v=$_.Exception.GetBaseException().SocketErrorCode;"
    "$s=if($v -in 'NetworkUnreachable','AddressFamilyNotSupported','AddressNotAvailable','AccessDenied')"
    "{'n'}else{'r'}}};"
    "$m+=\"$p$s\"};$f=if($h -like '*:*'){6}else{4};$o+=\"${f}:$($m -join '.');\"};"
    "try{if($z.Wait(1000)){$g='o'}}catch{};$o+=\"c:$g\";"
    "if($q){$x=c $q[0] $q[1];$w.Wait(5000)|Out-Null;$n=$x.GetStream();"
    '$b=[Text.Encoding]::ASCII.GetBytes("MW1 $t REPORT $o`n");$n.Write($b,0,$b.Length);'
    f"(New-Object IO.StreamReader $n).ReadToEnd()}}else{{\"{_BY_HAND} '$o'\"}}"
)


def bash(token: str, ports: Sequence[tuple[int, bool]], addresses: Sequence[str]) -> str:
    """The line for bash (3 or newer: Linux, macOS, WSL); `ports` with whether the wizard listens there."""
    knock, use = _split(ports)
    ports_of = f"'{' '.join(knock)}' '{' '.join(use)}'"
    return f"LC_ALL=C bash -c '{_BASH}' reach {token} {ports_of} {' '.join(addresses)}"


def powershell(token: str, ports: Sequence[tuple[int, bool]], addresses: Sequence[str]) -> str:
    """The line for PowerShell 5 or newer."""
    knock, use = _split(ports)
    quoted = ",".join(f"'{one}'" for one in addresses)
    filled = {"token": token, "knock": ",".join(knock), "use": ",".join(use), "addresses": quoted}
    text = _POWERSHELL
    for name, value in filled.items():
        text = text.replace(f"<{name}>", value)
    return text


def wizard(token: str, host: str) -> str:
    """The line for a machine that has this program."""
    return f"mailcow-wizard reach --from {host} {token}"


def _split(ports: Sequence[tuple[int, bool]]) -> tuple[list[str], list[str]]:
    return [str(one) for one, free in ports if free], [str(one) for one, free in ports if not free]
