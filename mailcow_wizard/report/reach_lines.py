"""The lines to paste on another machine: bash with nothing but /dev/tcp, PowerShell, the wizard itself.

Each tries every port at once, reports to a port that it could reach, and shows the table that it gets; where
it could reach none it shows its report, to be given to `reach --result`.
"""

from __future__ import annotations

import string
from collections.abc import Sequence

from mailcow_wizard.engine.reach_words import Asked
from mailcow_wizard.host.reach.talk import CERTIFICATE_LENGTH, TEXT_LENGTH
from mailcow_wizard.language import OWN, called

_CONTROL = "gmail-smtp-in.l.google.com"
_INSTALLED = "mailcow-wizard reach"
_BY_HAND = f"Nothing arrived. On the server: {_INSTALLED} --result"
_KINDS = ("knock", "greets", "tls", "http")
_LETTERS = "A-Za-z0-9+*,-"

# The first words of TLS 1.2: 32 letters where random bytes belong; suites, curves and signatures that servers
# have.
_HELLO = (
    r"\x16\x03\x01\0\x4d\x01\0\0\x49\x03\x03mailcow-wizard-asks-who-is-there\0\0\x06"
    r"\xc0\x2f\xc0\x2b\0\x9c\x01\0\0\x1a\0\x0a\0\x06\0\x04\0\x1d\0\x17"
    r"\0\x0d\0\x0c\0\x0a\x08\x04\x04\x01\x04\x03\x05\x01\x05\x03"
)

# No single quote in it, no tool but sleep and cat. Results are told apart by what bash says of a connection
# in the C locale, or by what is told after `=`; jobs that hang are ended after nine seconds. What is asked of
# no port is left out: on a small screen the whole line has to be seen at once.
_TELL_WHAT_IS_SAID = (
    (
        "e(){ a=${1/\\[*\\] /};a=${a/<*>/};a=${a//./,};a=${a//[^LETTERS]/_};"
        '[ "${a//_}" ]&&echo "=$2/$3/o~${a:0:LENGTH} ";};'
    )
    .replace("LETTERS", _LETTERS)
    .replace("LENGTH", str(TEXT_LENGTH))
)
_HOW = {
    "knock": 'K)echo "MW1 $t $2">&3;IFS= read -rt5 a<&3;echo "+$1/$2 $a";;',
    "greets": 'G)while IFS= read -rt7 a<&3;do case $a in ???-*);;*)break;esac;done;e "$a" $1 $2;;',
    "tls": f'T)printf "{_HELLO}">&3;IFS= read -rn2 -t5 a<&3;'
    'if [ "$a" ]&&[ "${a#?}" = "$(printf "\\3")" ];then echo "=$1/$2/t ";'
    'else IFS= read -rt2 b<&3;e "$a$b" $1 $2;fi;;',
    "http": 'H)printf "HEAD / HTTP/1.0\\r\\n\\r\\n">&3;IFS= read -rt5 a<&3;case $a in HTTP/*)a=${a:0:12};'
    "while IFS= read -rt5 b<&3&&[ ${#b} -gt 1 ];do case $b in "
    '[Ss]erver:*)a="$a${b#*:}";break;esac;done;esac;e "$a" $1 $2;;',
}
_BEGIN = "t=$1 K=$2 G=$3 T=$4 H=$5;shift 5;"
_TRY = 'k(){ exec 3<>/dev/tcp/$1/$2||exit;echo "+$1/$2 ";a=;case $3 in '
_END = (
    'esac;};r=$({ for h in $*;do for s in K G T H;do for p in ${!s};do k $h $p $s& j="$j $!";done;done;done;'
    f'k {_CONTROL} 25 C& j="$j $!";(sleep 9;kill $j)>/dev/null 2>&1& w=$!;wait $j;kill $w;}} 2>&1);'
    's(){ v="/$1/$2: ";case "$r" in *"+$1/$2 MW1 OK"*)c=a;q=$1/$2;;'
    '*"=$1/$2/"*)c=${r##*"=$1/$2/"};c=${c%% *};;*"+$1/$2 "*)c=o;[ $3 ]&&c=m;;'
    '*"$v"Connection\\ ref*|*"$v"No\\ route*)c=r;;'
    '*"$v"Network*|*"$v"Cannot*|*"$v"Operation*|*"$v"Perm*)c=n;;*)c=s;;esac;m=$m.$p$c;};'
    "for h in $*;do f=4;case $h in *:*)f=6;esac;m=;"
    "for p in $K;do s $h $p 1;done;for p in $G $T $H;do s $h $p;done;"
    'o="$o$f:${m#.};";done;'
    # Where its name does not resolve, or there is no way to it, nothing is known of port 25.
    f"v={_CONTROL}/25;"
    'c=s;case "$r" in *"+$v "*)c=o;;*"$v: "Inv*|*"$v: "Network*)c=n;esac;o="${o}c:$c";'
    '[ $q ]&&exec 3<>/dev/tcp/$q&&echo "MW1 $t REPORT $o">&3&&cat -v<&3||'
    f'echo "{_BY_HAND} \\"$o\\""'
)

# What stands between angle brackets is filled in. Everything is connected and told its first words before an
# answer is read: a listener of the wizard's does not wait.
_CONNECT = (
    "$t='<token>';$q=$null;$o='';$g='s';$c=[Text.Encoding]::ASCII;"
    "function n($h){New-Object Net.Sockets.TcpClient(([Net.IPAddress]$h).AddressFamily)};"
    f"$z=(New-Object Net.Sockets.TcpClient).ConnectAsync('{_CONTROL}',25);"
    "foreach($h in @(<addresses>)){$j=@();"
    "foreach($i in @(<ports>)){$x=$null;$w=$null;$p=[int]$i.Substring(1);"
    "try{$x=n $h;$w=$x.ConnectAsync($h,$p)}catch{};"
    "$j+=@{k=$i[0];p=$p;x=$x;w=$w;s='';n=$null}};"
    "$d=(Get-Date).AddSeconds(6);"
    "do{$l=0;foreach($e in $j){if(-not $e.s){if(-not $e.w){$e.s='n'}elseif($e.w.IsFaulted){"
    # NetworkUnreachable, AddressFamilyNotSupported, AddressNotAvailable, AccessDenied; TimedOut.
    '$v="$($e.w.Exception.GetBaseException().SocketErrorCode)";'
    "$e.s=if($v -match 'kUnr|Family|NotAv|Acc'){'n'}elseif($v -match 'Time'){'s'}else{'r'}}"
    "elseif($e.w.IsCompleted){$a='';$e.s='o';"
)
_FIRST_WORDS = {
    "knock": "if($e.k -eq 'K'){$e.s='m';$a=\"MW1 $t $($e.p)`n\"};",
    "http": "if($e.k -eq 'H'){$a=\"HEAD / HTTP/1.0`r`n`r`n\"};",
}
_READ = (
    "try{$e.n=$e.x.GetStream();$b=$c.GetBytes($a);$e.n.Write($b,0,$b.Length)}catch{}}"
    "else{$l++}}};Start-Sleep -m 20}while($l -and (Get-Date) -lt $d);"
    "$d=(Get-Date).AddSeconds(6);$m=@();"
    "foreach($e in $j){$a='';if($e.n){try{"
    "$e.n.ReadTimeout=[Math]::Max(200,[int]($d-(Get-Date)).TotalMilliseconds);"
    "$r=New-Object IO.StreamReader($e.n,$c);"
)
_ANSWERS = {
    "knock": "if($e.k -eq 'K' -and $r.ReadLine() -like 'MW1 OK*'){$e.s='a';$q=@($h,$e.p)};",
    "greets": "if($e.k -eq 'G'){do{$a=$r.ReadLine()}while($a -match '^\\d\\d\\d-')};",
    "tls": "if($e.k -eq 'T'){$y=New-Object Net.Security.SslStream("
    "$e.n,$false,({$true} -as [Net.Security.RemoteCertificateValidationCallback]));"
    "$y.AuthenticateAsClient($h,$null,3072,$false);"
    "$b=[Security.Cryptography.SHA256]::Create().ComputeHash($y.RemoteCertificate.GetRawCertData());"
    f"$e.s='t~'+[BitConverter]::ToString($b).Replace('-','').ToLower().Substring(0,{CERTIFICATE_LENGTH})}};",
    "http": "if($e.k -eq 'H'){$a=$r.ReadLine();if($a -like 'HTTP/*'){$a=$a.Substring(0,12);"
    "while($b=$r.ReadLine()){if($b -like 'Server:*'){$a+=$b.Substring(7);break}}}};",
}
_TOLD = (
    "$a=\"$a\" -replace '\\[.*\\] |<.*>' -replace '\\.',','"
    f" -creplace '[^{_LETTERS}]','_';$a=$a.Substring(0,[Math]::Min({TEXT_LENGTH},$a.Length));"
    "if($a.Trim('_')){$e.s=\"o~$a\"}"
)
_REPORT = (
    "if(-not $e.s){$e.s='s'};$m+=\"$($e.p)$($e.s)\"};"
    "$f=if($h -like '*:*'){6}else{4};$o+=\"${f}:$($m -join '.');\"};"
    "try{if($z.Wait(1000)){$g='o'}}catch{$g='n'};$o+=\"c:$g\";"
    "if($q){$x=n $q[0];$x.Connect($q[0],$q[1]);$e=$x.GetStream();"
    '$b=$c.GetBytes("MW1 $t REPORT $o`n");$e.Write($b,0,$b.Length);'
    f"(New-Object IO.StreamReader $e).ReadToEnd()}}else{{\"{_BY_HAND} '$o'\"}}"
)


def bash(token: str, ports: Sequence[Asked], addresses: Sequence[str]) -> str:
    """The line for bash (3 or newer: Linux, macOS, WSL)."""
    lists = " ".join(f"'{' '.join(str(one.port) for one in ports if one.kind == kind)}'" for kind in _KINDS)
    kinds = {one.kind for one in ports}
    told = _TELL_WHAT_IS_SAID if kinds != {"knock"} else ""
    how = "".join(_HOW[kind] for kind in _KINDS if kind in kinds)
    program = f"{_BEGIN}{told}{_TRY}{how}{_named(_END)}"
    return f"LC_ALL=C bash -c '{program}' reach {token} {lists} {' '.join(addresses)}"


def powershell(token: str, ports: Sequence[Asked], addresses: Sequence[str]) -> str:
    """The line for PowerShell 5 or newer.

    A script block may judge a certificate only on the thread that runs the script. `AuthenticateAsClient`
    calls it there: shown with PowerShell 7.1 and 7.3 in https://github.com/PowerShell/PowerShell/issues/15688
    and …/18860, with 5.1 in …/17340, where the way by HttpWebRequest fails since 7. Where it is not called,
    a port counts as answered by nobody knows whom.
    """
    kinds = [kind for kind in _KINDS if any(one.kind == kind for one in ports)]
    first, answers = ("".join(some.get(kind, "") for kind in kinds) for some in (_FIRST_WORDS, _ANSWERS))
    told = _TOLD if kinds != ["knock"] else ""
    text = f"{_CONNECT}{first}{_READ}{answers}}}catch{{}};{told}}};{_named(_REPORT)}"
    inner = {
        "token": token,
        "ports": ",".join(f"'{one.kind[0].upper()}{one.port}'" for one in ports),
        "addresses": ",".join(f"'{one}'" for one in addresses),
    }
    for name, value in inner.items():
        text = text.replace(f"<{name}>", value)
    return text


def _named(program: str) -> str:
    """What the far side says has the name that this side was started by, where no shell reads more in it."""
    name = called(OWN)
    plain = not set(name) - set(string.ascii_letters + string.digits + "/._@: -")
    return program.replace(_INSTALLED, f"{name} reach") if plain else program


def wizard(token: str, host: str) -> str:
    """The line for a machine that has this program."""
    return f"mailcow-wizard reach --from {host} {token}"
